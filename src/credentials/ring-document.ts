import { z } from 'zod'
import type { RingKeyInfo } from './types.ts'

/** A ring key as it rests in the store: its bytes sealed by the vault. */
export type StoredRingKey = RingKeyInfo & Readonly<{ sealed: string }>

/** One document for the whole ring, so that each change of it is one compare-and-set. */
export type RingDocument = readonly StoredRingKey[]

/** Makes a new key in the given role. */
export type NewRingKey = (status: 'next' | 'active') => StoredRingKey

const instant = z.iso.datetime().transform((text) => new Date(text))
const storedKey = z.strictObject({
  id: z.string().regex(/^[a-z2-7]{16}$/),
  status: z.enum(['next', 'active', 'retiring']),
  createdAt: instant,
  retiredAt: instant.exactOptional(),
  lastExpiry: instant.exactOptional(),
  sealed: z.string(),
})
const document = z.strictObject({ schema: z.literal(1), keys: z.array(z.unknown()) })

/** Throws unless the text is a ring: distinct keys, exactly one of them active and exactly one next. */
export function parseRing(text: string): RingDocument {
  // One by one: the first that is wrong is enough, and thousands of them would be told with all that is wrong with each.
  const keys = document.parse(JSON.parse(text)).keys.map((entry) => storedKey.parse(entry))
  const count = (status: string): number => keys.filter((entry) => entry.status === status).length
  const distinct = new Set(keys.map((entry) => entry.id)).size === keys.length
  if (count('active') === 1 && count('next') === 1 && distinct) return keys
  throw new Error('the key ring in the store does not hold one active and one next key')
}

export function printRing(keys: RingDocument): string {
  return JSON.stringify({ schema: 1, keys })
}

export function firstRing(make: NewRingKey): RingDocument {
  return [make('active'), make('next')]
}

export function activeOf(keys: RingDocument): StoredRingKey {
  const active = keys.find((entry) => entry.status === 'active')
  if (active) return active
  throw new Error('the key ring has no active key')
}

/** `next` becomes active, `active` retiring until `lastExpiry`, and a new `next` is made. */
export function rotated(
  keys: RingDocument,
  now: Date,
  lastExpiry: Date,
  make: NewRingKey,
): RingDocument {
  const moved = keys.map((entry): StoredRingKey => {
    if (entry.status === 'next') return { ...entry, status: 'active' }
    if (entry.status === 'active') {
      return { ...entry, status: 'retiring', retiredAt: now, lastExpiry }
    }
    return entry
  })
  return [...withoutExpired(moved, now), make('next')]
}

/** Without the retiring keys that can have no live session any more. */
export function withoutExpired(keys: RingDocument, now: Date): RingDocument {
  return keys.filter((entry) => entry.lastExpiry === undefined || entry.lastExpiry > now)
}
