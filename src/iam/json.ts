import { isLeaf, isList, isMap, leafText } from './value.ts'
import type { Members, Value } from './value.ts'

/** The same tree for callers that send `Accept: application/json`: lists are arrays, instants are ISO 8601 text. */
export function toJson(members: Members): string {
  return JSON.stringify(plainMembers(members))
}

function plainMembers(members: Members): object {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      name,
      value === undefined ? value : plain(value),
    ]),
  )
}

function plain(value: Value): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (isLeaf(value)) return leafText(value)
  if (isList(value)) return value.map(plain)
  return plainMembers(isMap(value) ? Object.fromEntries(value) : value)
}
