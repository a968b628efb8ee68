import type { Session } from '../credentials/index.ts'
import type { Authentication, Verified } from '../sigv4/index.ts'

/** Whom the signature proved. */
export type Identity =
  | Readonly<{ kind: 'anonymous' }>
  | Readonly<{ kind: 'root'; accessKeyId: string }>
  | Readonly<{ kind: 'user'; accessKeyId: string; user: string }>
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
