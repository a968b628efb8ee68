/**
 * The policy room. It owns IAM policy documents: their grammar, their meaning, their order of evaluation.
 * It takes a document's text, or a question with its facts; it gives a compiled policy, or a decision.
 * It never fetches anything, never reads a clock, and never looks into a request: facts come typed.
 */
export type * from './types.ts'
export { PolicyError } from './errors.ts'
export { parsePolicy } from './parse.ts'
export { cannedPolicies } from './canned.ts'
export { isAllowed, isDeniedAtIssue } from './evaluate.ts'
export { explain, explainIssue } from './explain.ts'
export { assertBucketPolicyFits, isPublic, wouldLockOut } from './bucket-policy.ts'
export { decideTrust, trustedProviders } from './trust.ts'
export { readsClaim } from './reads-claim.ts'
export { findExcess } from './find-excess.ts'
export { narrow } from './narrow/narrow.ts'
export type * from './narrow/narrow-types.ts'
