/**
 * Where a tenant's credentials come from. Takes a grant and how its tenant is reached; gives credentials that keep to the
 * grant: sealed here under keys that the tenant's servers hold too, or asked of the tenant's own STS, narrowed by one
 * inline policy. Never decides who may have what, never reads a cluster, and holds no tenant up for another one.
 */
export { createTargets, type Targets, type TargetsOptions } from './create-targets.ts'
export { endSessions, type AdminTarget, type SessionsEnd } from './end-sessions.ts'
export type { TargetEvent } from './target-event.ts'
export type * from './types.ts'
