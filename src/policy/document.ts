import type { PolicyKind } from './types.ts'

/** A document that passed the grammar, still as text: what the compiler, the printer and the lint read. */
export type Document = Readonly<{
  kind: PolicyKind
  /** As written; absent means 2008-10-17, where `${…}` is plain text. */
  version: Version | undefined
  id: string | undefined
  statements: readonly Statement[]
}>
export type Version = '2012-10-17' | '2008-10-17'

export type Statement = Readonly<{
  /** For messages: `Statement[3]`. */
  path: string
  index: number
  sid: string | undefined
  effect: 'Allow' | 'Deny'
  action: Listed
  /** Absent where all actions belong to services that have no resources. */
  resource: Listed | undefined
  /** Present in bucket policies and trust policies only. */
  principal: Principals | undefined
  conditions: readonly ConditionEntry[]
}>

/** Values of `Action` or `NotAction`, `Resource` or `NotResource`. */
export type Listed = Readonly<{ path: string; negated: boolean; values: readonly string[] }>

export type Principals = Readonly<{
  path: string
  negated: boolean
  /** Written as `"*"`, not as a list by kind. */
  everyone: boolean
  byKind: ReadonlyMap<PrincipalKind, readonly string[]>
}>
export type PrincipalKind = 'AWS' | 'Federated' | 'Service' | 'CanonicalUser'

export type ConditionEntry = Readonly<{
  path: string
  operator: string
  key: string
  /** Canonical text: numbers without exponent, `true` and `false` in lower case. */
  values: readonly string[]
}>

/** Services whose actions have no resource: their statements may leave `Resource` out. */
export const resourcelessServices: ReadonlySet<string> = new Set(['admin', 'kms', 'sts'])

/** The service of an action as written; `*` for the bare asterisk. */
export function serviceOf(action: string): string {
  const colon = action.indexOf(':')
  return colon < 0 ? action : action.slice(0, colon).toLowerCase()
}
