import { Secret } from '../secret.ts'

/**
 * What an action answers: a tree that any of the two wire forms can carry. Absent members are left out.
 * A `Secret` in it is revealed by the renderers of this file's two sisters and by nothing else.
 */
export type Value =
  | string
  | number
  | boolean
  | Date
  | Secret
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | Members
export type Members = Readonly<{ [name: string]: Value | undefined }>

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

/** What the query protocol writes as `entry` elements with `key` and `value`. */
export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map
}

type Leaf = string | number | boolean | Date | Secret

/** The text of a leaf; instants as ISO 8601 in whole seconds, as the AWS query protocol writes them. */
export function leafText(value: Leaf): string {
  if (value instanceof Secret) return value.reveal()
  if (value instanceof Date) return value.toISOString().replace(/\.\d{3}Z$/, 'Z')
  return String(value)
}

export function isLeaf(value: Value): value is Leaf {
  return typeof value !== 'object' || value instanceof Date || value instanceof Secret
}
