import { commonPrefixOf, endOfPrefix } from './key-order.ts'

/** From the first row at or after `from`; with a `tie`, from the first one of that key beyond it. */
export type Bound = Readonly<{ from: Buffer; tie?: number | string }>

/** Rows in order, up to the end of the prefix, stepped only as far as they are read. */
export type Scan<Row> = (bound: Bound, end: Buffer) => Iterable<Row>

export type PageRequest = Readonly<{
  prefix: string
  delimiter: string
  start: Bound
  limit: number
}>

export type Page<Row> = Readonly<{
  rows: readonly Row[]
  commonPrefixes: readonly string[]
  /** The last entry of the page, when there is more behind it: a common prefix, or a row. */
  next?: string | Row
}>

/**
 * One page of a listing. Rows that share a common prefix count as one entry, and the scan begins anew behind them:
 * the cost is by entries listed, not by rows skipped.
 */
export function listPage<Row extends { name: string }>(
  scan: Scan<Row>,
  { prefix, delimiter, start, limit }: PageRequest,
): Page<Row> {
  const rows: Row[] = []
  const commonPrefixes: string[] = []
  const end = endOfPrefix(prefix)
  let last: string | Row | undefined
  let bound: Bound | undefined = limit > 0 ? start : undefined
  while (bound !== undefined) {
    const from: Bound = bound
    bound = undefined
    if (Buffer.compare(from.from, end) >= 0) break
    for (const row of scan(from, end)) {
      if (last !== undefined && rows.length + commonPrefixes.length >= limit) {
        return { rows, commonPrefixes, next: last }
      }
      const collapsed = commonPrefixOf(row.name, prefix, delimiter)
      if (collapsed !== undefined) {
        last = collapsed
        commonPrefixes.push(collapsed)
        bound = { from: endOfPrefix(collapsed) }
        break
      }
      rows.push(row)
      last = row
    }
  }
  return { rows, commonPrefixes }
}
