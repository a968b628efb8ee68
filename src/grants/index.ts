/**
 * Who may have what: a proven principal and its wishes become a Grant, or a refusal that says why.
 * Owns the mapping from providers and users to policies, lifetimes, session policies and session names. Takes
 * principals, gives grants with the trace of the decision. Never verifies evidence, never makes credentials.
 */
export { createGrants } from './grants.ts'
export { GrantError } from './grant-error.ts'
export { providerRoleArn } from './role-arn.ts'
export { account, rootArn, sessionArn, sessionUserId, userArn } from './session-identity.ts'
export type { NamedSession } from './session-identity.ts'
export type * from './types.ts'
