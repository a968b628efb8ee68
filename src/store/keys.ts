import type { Write } from '../state.ts'

const legalKey = /^[\x21-\x7e]{1,1024}$/

/** A key that is not printable ASCII is a mistake of ours, never a caller's to make. */
export function checkKey(key: string): void {
  if (!legalKey.test(key)) throw new TypeError(`not a key of the store: ${JSON.stringify(key)}`)
}

/** Two writes to one key in one commit have no order on every engine, so none takes them. */
export function checkWrites(writes: readonly Write[]): void {
  const seen = new Set<string>()
  for (const write of writes) {
    checkKey(write.key)
    if (seen.has(write.key)) throw new TypeError(`written twice in one commit: ${write.key}`)
    seen.add(write.key)
    if (write.kind === 'put') checkPut(write)
  }
}

function checkPut(write: Extract<Write, { kind: 'put' }>): void {
  if (write.expiresAt !== undefined && Number.isNaN(write.expiresAt.getTime())) {
    throw new TypeError(`not an instant: the expiry of ${write.key}`)
  }
  // A lone surrogate would come back as another text than was committed.
  if (!write.value.isWellFormed()) throw new TypeError(`not UTF-8: the value of ${write.key}`)
}

/** Sorts after every key with this prefix, since keys are ASCII. */
export function endOfPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`
}
