import { marker, optional, pageSize } from './parameter.ts'
import type { Members, Value } from './value.ts'

/** The two parameters of every call that lists. */
export const pageParameters = { Marker: optional(marker), MaxItems: optional(pageSize) }

type Range = Readonly<{ Marker: string | undefined; MaxItems: number | undefined }>

const defaultPageSize = 100

/**
 * One page of a list under `member`, ordered by name. The marker is the last name shown, so entries that come or
 * go between two calls make no other entry appear twice or not at all.
 */
export function page<T>(
  member: string,
  items: readonly T[],
  nameOf: (item: T) => string,
  range: Range,
  render: (item: T) => Value,
): Members {
  const { Marker: after } = range
  const rest = items
    .map((item) => ({ name: nameOf(item), item }))
    .filter(({ name }) => after === undefined || name > after)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const shown = rest.slice(0, range.MaxItems ?? defaultPageSize)
  const last = shown.length < rest.length ? shown.at(-1)?.name : undefined
  return {
    [member]: shown.map(({ item }) => render(item)),
    IsTruncated: last !== undefined,
    Marker: last === undefined ? undefined : Buffer.from(last, 'utf8').toString('base64url'),
  }
}
