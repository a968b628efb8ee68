import { CompiledPolicy } from './compiled-policy.ts'
import type { Statement } from './document.ts'
import { isAllowed } from './evaluate.ts'
import { s3Actions, spelledActions, type ActionLevel } from './known-actions.ts'
import { actionsListed } from './reach.ts'
import type { NamedPolicy, Policy, Question } from './types.ts'

/** What a document allows and its ceiling does not. */
export type Excess = Readonly<{
  action: string
  /** As the document has it, pattern and all; `*` for calls on the account. */
  resource: string
}>

/** Entries of resources that are compared: some 50 ms, however long the documents are. */
const mostComparisons = 100_000

/** Stands for whatever a wildcard may stand for: nobody has a bucket of that name. */
const anything = 'daypass-0-probe'

const asker = {
  principal: { kind: 'user', account: '000000000000', arn: 'arn:aws:iam::000000000000:user/x' },
  facts: { aws: { CurrentTime: new Date(0) } },
} as const

/**
 * An S3 access that the policy allows and the ceiling does not: found by trying what the statements name, so whatever is
 * found is true. `undefined` says less: what hangs on conditions or variables, and what is not tried, is not found.
 */
export function findExcess(policy: Policy, ceiling: Policy): Excess | undefined {
  if (!(policy instanceof CompiledPolicy) || !(ceiling instanceof CompiledPolicy)) return undefined
  const identity = [{ name: 'policy', policy }]
  const ceilings = [{ name: 'ceiling', policies: [{ name: 'ceiling', policy: ceiling }] }]
  let left = Math.ceil(mostComparisons / (lengthOf(policy) + lengthOf(ceiling)))
  for (const { action, resource, pattern } of candidates(policy, ceiling)) {
    if ((left -= 1) < 0) return undefined
    const accesses = [{ action, resource }]
    if (allows(identity, accesses) && !allows(identity, accesses, ceilings)) {
      return { action, resource: pattern }
    }
  }
  return undefined
}

function allows(
  identity: readonly NamedPolicy[],
  accesses: Question['accesses'],
  ceilings: Question['ceilings'] = [],
): boolean {
  return isAllowed({ ...asker, identity, accesses, ceilings })
}

function lengthOf({ document }: CompiledPolicy): number {
  return document.statements.reduce((sum, { resource }) => sum + (resource?.values.length ?? 1), 8)
}

type Probe = Readonly<{ resource: string; pattern: string }>

type Try = Probe & Readonly<{ action: string }>

function* candidates(policy: CompiledPolicy, ceiling: CompiledPolicy): Generator<Try> {
  // What the ceiling forbids within what it allows would not be met by chance.
  const fences = ceiling.document.statements.filter(({ effect }) => effect === 'Deny')
  for (const statement of policy.document.statements) {
    if (statement.effect !== 'Allow') continue
    const named = new Set(actionsListed(statement.action))
    const probes = [statement, ...fences].flatMap(probesOf)
    for (const level of ['object', 'bucket', 'account'] as const) {
      const isMeant = (action: string) =>
        named.has(action.toLowerCase()) && s3Actions.get(action.toLowerCase()) === level
      yield* pairs(
        spelledActions.filter(isMeant),
        probes.filter((probe) => levelOf(probe) === level),
      )
    }
  }
}

/** Every action and every resource once, before any comes with all of the others: there may not be time for all pairs. */
function* pairs(actions: readonly string[], probes: readonly Probe[]): Generator<Try> {
  const most = Math.max(actions.length, probes.length)
  for (let shift = 0; shift < Math.min(actions.length, probes.length); shift += 1) {
    for (let index = 0; index < most; index += 1) {
      const isLonger = actions.length >= probes.length
      const action = actions[isLonger ? index : (index + shift) % actions.length]
      const probe = probes[isLonger ? (index + shift) % probes.length : index]
      if (action !== undefined && probe !== undefined) yield { action, ...probe }
    }
  }
}

function levelOf({ resource }: Probe): ActionLevel {
  if (resource === '*') return 'account'
  return resource.includes('/') ? 'object' : 'bucket'
}

function probesOf({ resource }: Statement): readonly Probe[] {
  if (resource === undefined) return []
  const values = resource.negated ? ['arn:aws:s3:::*'] : resource.values
  return values
    .filter((value) => !value.includes('${'))
    .flatMap((value) => {
      const whole = value === '*' ? 'arn:aws:s3:::*' : value
      const filled = (text: string) => whole.replaceAll('*', text).replaceAll('?', 'z')
      // A wildcard may cover the slash: one of a bucket, one of what is in it.
      const resources = new Set([filled(anything), filled(`${anything}/${anything}`)])
      if (value === '*') resources.add('*')
      return [...resources].map((text) => ({ resource: text, pattern: value }))
    })
}
