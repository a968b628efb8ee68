import { matchesAction, namesAction } from './action.ts'
import type { Ask } from './ask.ts'
import type { CompiledStatement } from './compile.ts'
import { holds } from './conditions.ts'
import { matchesPrincipal } from './principal.ts'
import { matchesResources } from './resource.ts'

/** A statement that speaks of the action that is asked about; whether of the resource, and when, is still to be seen. */
export type Candidate = Readonly<{
  statement: CompiledStatement
  /** Its resources count, whatever the action. */
  bound: boolean
}>

/** Hangs on the action and its alias alone, so the answer for one action is good for every ask about it. */
export function candidatesAmong(
  statements: readonly CompiledStatement[],
  ask: Ask,
): readonly Candidate[] {
  return statements
    .filter(({ actions }) => matchesAction(actions, ask))
    .map((statement) => ({ statement, bound: isBound(statement, ask) }))
}

/**
 * Administration has no resources: a statement that names such an action means it whatever its `Resource` says, as in
 * policies made for MinIO. A bare `*` action stays bound by its resource, and so does everything under `NotResource`.
 */
function isBound({ actions, resources }: CompiledStatement, ask: Ask): boolean {
  return resources?.negated === true || actions.negated || !namesAction(actions, ask)
}

/** Whether the statement speaks of this access. The cheap questions come first. */
export function candidateMatches({ statement, bound }: Candidate, ask: Ask): boolean {
  const { resources, principal, effect, conditions } = statement
  const reaches =
    resources === undefined ||
    (!bound && ignoresResource(ask)) ||
    matchesResources(resources, ask, effect)
  if (!reaches) return false
  if (principal !== undefined && !matchesPrincipal(principal, ask, effect)) return false
  for (const condition of conditions) if (!holds(condition, ask)) return false
  return true
}

function ignoresResource({ service, access }: Ask): boolean {
  if (service === 'admin' || service === 'kms') return true
  return service === 'sts' && access.resource === '*'
}
