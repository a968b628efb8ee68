import { hash, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

/**
 * A text that must not be seen: keys, passwords, tokens. It prints as `[secret]` wherever it is logged,
 * serialised or joined into a string; only `reveal()` gives it away, and each call of that is easy to find.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  /** Constant-time comparison; the lengths do not show either, since hashes are compared. */
  equals(other: Secret): boolean {
    return timingSafeEqual(sha256(this.#value), sha256(other.#value))
  }

  /** Lower-case hex SHA-256: what a log or an audit record may carry of a token. */
  fingerprint(): string {
    return hash('sha256', this.#value)
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
