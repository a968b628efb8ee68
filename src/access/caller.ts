import type { Session } from '../credentials/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import type { Authentication, Verified } from '../sigv4/index.ts'

/** In what one key falls short of its user: it may do less, or ends by itself. */
export type KeyLimits = Readonly<{ policy?: NamedPolicy; expiresAt?: Date }>

/** Whom the signature proved. */
export type Identity =
  | Readonly<{ kind: 'anonymous' }>
  | Readonly<{ kind: 'root'; accessKeyId: string }>
  /** `limits`: present exactly when the key is not as good as its user. */
  | Readonly<{ kind: 'user'; accessKeyId: string; user: string; limits?: KeyLimits }>
  | Readonly<{ kind: 'session'; accessKeyId: string; session: Session }>

declare const known: unique symbol // not exported: only `authenticate` makes one

export type KnownCaller = Readonly<{
  kind: Identity['kind']
  identity: Identity
  authentication: Authentication
  /** Present exactly when the request itself is signed. */
  verified?: Verified
  [known]: true
}>
