import { marker, optional, pageSize } from './parameter.ts'
import type { Members, Value } from './value.ts'

/** The two parameters of every call that lists. */
export const pageParameters = { Marker: optional(marker), MaxItems: optional(pageSize) }

export type Range = Readonly<{ Marker: string | undefined; MaxItems: number | undefined }>

const defaultPageSize = 100

/** The items of one page, and what the answer says of the others. */
export type Page<T> = Readonly<{
  items: readonly T[]
  end: Readonly<{ IsTruncated: boolean; Marker: string | undefined }>
}>

/**
 * One page of a list, ordered by name. The marker is the last name shown, so entries that come or go between two calls
 * make no other entry appear twice or not at all.
 */
export function pageOf<T>(items: readonly T[], nameOf: (item: T) => string, range: Range): Page<T> {
  const { Marker: after } = range
  const rest = items
    .map((item) => ({ name: nameOf(item), item }))
    .filter(({ name }) => after === undefined || name > after)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const shown = rest.slice(0, range.MaxItems ?? defaultPageSize)
  const last = shown.length < rest.length ? shown.at(-1)?.name : undefined
  return {
    items: shown.map(({ item }) => item),
    end: {
      IsTruncated: last !== undefined,
      Marker: last === undefined ? undefined : Buffer.from(last, 'utf8').toString('base64url'),
    },
  }
}

/** The same as the members of an answer, with the list under `member`. */
export function page<T>(
  member: string,
  items: readonly T[],
  nameOf: (item: T) => string,
  range: Range,
  render: (item: T) => Value,
): Members {
  const { items: shown, end } = pageOf(items, nameOf, range)
  return { [member]: shown.map(render), ...end }
}
