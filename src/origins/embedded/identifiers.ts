/** The id of a version that was written while the bucket had no versioning, or had it suspended. */
export const nullVersion = 'null'

const sequenceDigits = 12
const identifier = /^[0-9a-f]{12,}$/

/** Sorts by age, since it begins with the sequence number, and ends in randomness that nobody guesses. */
export function makeIdentifier(sequence: number, nonce: string): string {
  return sequence.toString(16).padStart(sequenceDigits, '0') + nonce
}

/** What position an identifier stands for; it need not exist. */
export function identifierSequence(text: string): number | undefined {
  return identifier.test(text) ? Number.parseInt(text.slice(0, sequenceDigits), 16) : undefined
}
