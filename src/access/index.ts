/**
 * The gateway's spine: signed request -> who asks -> may they.
 *
 *     HttpRequest --authenticate--> KnownCaller --decide--> yes, or AccessDenied with a sealed, explained trace
 *
 * Owns: which key signed, whose it is, which policies bind it, which facts conditions may see. The identity that is
 * judged is the very value that the signature check returned. Never speaks a wire format.
 */
export { createAccess } from './access.ts'
export type { Access, AccessOptions, RoleBook } from './access.ts'
export type { AccessErrorCode } from './access-error.ts'
export type { Identity, KnownCaller } from './caller.ts'
export { identityArn, identityUserId } from './identity-arn.ts'
export type { DenialTrace } from './denial.ts'
