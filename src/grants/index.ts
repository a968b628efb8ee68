/**
 * Who may have what: a proven principal and its wishes become a Grant, or a refusal that says why.
 * Owns the mapping from providers, users and roles to policies, trust, lifetimes, session policies, tags and names, and
 * what binds a session when it is used. Takes principals, gives grants with the trace of the decision. Never verifies evidence, never makes credentials.
 */
export { createGrants } from './grants.ts'
export { createTenantGrants, type TenantGrantsOptions } from './tenant-grants.ts'
export { BindingIndex, compilePattern } from './binding-index.ts'
export type * from './tenants.ts'
export { GrantError } from './grant-error.ts'
export { providerRoleArn } from './role-arn.ts'
export {
  account,
  rootArn,
  sessionArn,
  sessionPolicyPrincipal,
  sessionUserId,
  userArn,
} from './session-identity.ts'
export { bindingOfAnonymous, bindingOfSession, bindingOfUser, tenantCeilings } from './bindings.ts'
export { knownTo } from './claims-elsewhere.ts'
export type { Binding, BindingSources } from './bindings.ts'
export { rootFacts, sessionFacts, userFacts } from './session-facts.ts'
export type { IdentityFacts } from './session-facts.ts'
export type * from './types.ts'
