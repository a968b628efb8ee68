import { createHmac, createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { BoundedCache } from '../bounded-cache.ts'
import type { Secret } from '../secret.ts'
import { scopeText } from './credential.ts'
import type { Scope } from './types.ts'

/** kSigning of the SigV4 specification: four HMACs from the secret down to the scope. */
export function deriveSigningKey(secret: Secret, scope: Scope): KeyObject {
  let derived: Buffer = Buffer.from(`AWS4${secret.reveal()}`, 'utf8')
  for (const part of [scope.date, scope.region, scope.service, 'aws4_request']) {
    derived = createHmac('sha256', derived).update(part, 'utf8').digest()
  }
  return createSecretKey(derived)
}

type Derived = Readonly<{ scope: string; secret: Secret; signingKey: KeyObject }>

// A stranger who knows an access key id can name any region; that may push out only that id's own keys.
const scopesPerAccessKey = 4

/**
 * A bounded cache of signing keys: the least recently used access keys give way. An entry answers only for the secret
 * it was derived from, so a key whose secret was replaced never verifies by the old one.
 */
export class SigningKeys {
  readonly #derived: BoundedCache<readonly Derived[]>

  /** @param capacity access keys held, each with a few scopes. */
  constructor(capacity: number) {
    this.#derived = new BoundedCache(capacity)
  }

  /** The signing key, cached or derived. */
  get(accessKeyId: string, secret: Secret, scope: Scope): KeyObject {
    const text = scopeText(scope)
    const known = this.#derived.get(accessKeyId) ?? []
    const found = known.find((entry) => entry.scope === text && isSame(entry.secret, secret))
    if (found && found === known[0]) return found.signingKey
    const entry = found ?? { scope: text, secret, signingKey: deriveSigningKey(secret, scope) }
    const others = known.filter((other) => other !== entry)
    this.#derived.set(accessKeyId, [entry, ...others].slice(0, scopesPerAccessKey))
    return entry.signingKey
  }

  /** Drops all that was derived for an access key: it was revoked, disabled or given a new secret. */
  forget(accessKeyId: string): void {
    this.#derived.delete(accessKeyId)
  }
}

function isSame(a: Secret, b: Secret): boolean {
  return a === b || a.equals(b)
}
