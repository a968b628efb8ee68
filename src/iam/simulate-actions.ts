import type { Directory } from '../admin/index.ts'
import { explain, parsePolicy } from '../policy/index.ts'
import type { AccessDecision, Ceiling, NamedPolicy, PolicyKind } from '../policy/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { account, bucketOfArn, userArn } from './arn.ts'
import { IamError } from './iam-error.ts'
import { pageOf, pageParameters } from './page.ts'
import type { Range } from './page.ts'
import {
  actionText,
  atLeastOne,
  flag,
  listOf,
  optional,
  required,
  resourceText,
  text,
} from './parameter.ts'
import { on, onAll } from './permissions.ts'
import { contextEntries, suppose } from './simulation-context.ts'
import type { ContextEntry } from './simulation-context.ts'
import { boundaryName, sourceType, subjectOfArn } from './subjects.ts'
import type { Subject } from './subjects.ts'
import type { ActionContext } from './types.ts'
import type { Members } from './value.ts'

const common = {
  ActionNames: atLeastOne(listOf(actionText)),
  ResourceArns: listOf(resourceText),
  PermissionsBoundaryPolicyInputList: listOf(text),
  ResourcePolicy: optional(text),
  ResourceOwner: optional(text),
  CallerArn: optional(text),
  ContextEntries: contextEntries,
  ...pageParameters,
}

/**
 * AWS IAM API reference: what would be decided, answered by the engine that decides. `Reason` is ours. Positions in the
 * source are not told; `StatementIndex` and `Sid` are. The policy of the resource counts when it is sent along; with
 * `WithBucketPolicies`, which is ours, those that the buckets have count too.
 */
export const simulateActions: readonly (readonly [string, Action])[] = [
  [
    'SimulatePrincipalPolicy',
    defineAction({
      parameters: {
        PolicySourceArn: required(text),
        PolicyInputList: listOf(text),
        WithBucketPolicies: optional(flag),
        ...common,
      },
      effect: 'read',
      permissions: ({ PolicySourceArn }) => on('SimulatePrincipalPolicy', PolicySourceArn),
      run: async (values, context) => {
        const subject = subjectOfArn(context, values.PolicySourceArn)
        const supposed = values.PolicyInputList.map(given('PolicyInputList', 'identity'))
        const identity = [...subject.identity, ...supposed]
        const lookUp = values.WithBucketPolicies === true ? context.findBucketPolicy : undefined
        return simulate(context.admin, { ...subject, identity }, values, context, lookUp)
      },
    }),
  ],
  [
    'SimulateCustomPolicy',
    defineAction({
      parameters: { PolicyInputList: atLeastOne(listOf(text)), ...common },
      effect: 'read',
      permissions: () => onAll('SimulateCustomPolicy'),
      run: (values, context) => {
        const { admin, now } = context
        const identity = values.PolicyInputList.map(given('PolicyInputList', 'identity'))
        return simulate(admin, { ...nobody(now), identity }, values, context)
      },
    }),
  ],
]

/** A user that has nothing but the policies that are sent along. */
function nobody(now: Date): Subject {
  const arn = userArn('nobody')
  return {
    kind: 'user',
    name: 'nobody',
    arn,
    principal: { kind: 'user', account, arn },
    identity: [],
    ceilings: [],
    facts: { aws: { CurrentTime: now } },
  }
}

function given(list: string, kind: PolicyKind): (document: string, index: number) => NamedPolicy {
  return (document, index) => ({
    name: `${list}.${index + 1}`,
    policy: parsePolicy(document, kind),
  })
}

type Values = Readonly<{
  ActionNames: readonly string[]
  ResourceArns: readonly string[]
  PermissionsBoundaryPolicyInputList: readonly string[]
  ResourcePolicy: string | undefined
  CallerArn: string | undefined
  ContextEntries: readonly ContextEntry[]
}> &
  Range

const maxQuestions = 1000

async function simulate(
  admin: Directory,
  subject: Subject,
  values: Values,
  { policyCompat }: Pick<ActionContext, 'policyCompat'>,
  findBucketPolicy?: ActionContext['findBucketPolicy'],
): Promise<Members> {
  const { facts, s3, iam } = suppose(subject.facts, values.ContextEntries)
  const supposed = values.PermissionsBoundaryPolicyInputList.map(
    given('PermissionsBoundaryPolicyInputList', 'identity'),
  )
  // A boundary that is sent along stands in the place of the one that there is (AWS IAM API reference).
  const ceilings: readonly Ceiling[] =
    supposed.length > 0
      ? [
          { name: boundaryName, policies: supposed },
          ...subject.ceilings.filter(({ name }) => name !== boundaryName),
        ]
      : subject.ceilings
  const isBounded = ceilings.some(({ name }) => name === boundaryName)
  const { ResourcePolicy } = values
  const sent =
    ResourcePolicy === undefined
      ? undefined
      : { name: 'ResourcePolicy', policy: parsePolicy(ResourcePolicy, 'bucket') }
  const principal = callerOf(subject, values.CallerArn)
  const { items, end } = pageOf(questions(values), ({ index }) => index, values)
  const stored = await bucketPolicies(items, findBucketPolicy)
  return {
    EvaluationResults: items.map(({ action, resource }) => {
      const bucketPolicy = sent ?? stored.get(bucketOfArn(resource))
      const access = { action, resource, s3, iam, ...(bucketPolicy && { bucketPolicy }) }
      const question = {
        principal,
        accesses: [access],
        facts,
        identity: subject.identity,
        ceilings,
        ...(policyCompat && { compat: policyCompat }),
      }
      const [decision] = explain(question).accesses
      if (!decision) throw new Error('one question has one answer')
      return evaluation(admin, decision, isBounded)
    }),
    ...end,
  }
}

/** By the buckets' names; empty where nobody looks them up. */
async function bucketPolicies(
  items: readonly Readonly<{ resource: string }>[],
  find: ActionContext['findBucketPolicy'],
): Promise<ReadonlyMap<string | undefined, NamedPolicy>> {
  const found = new Map<string | undefined, NamedPolicy>()
  if (!find) return found
  for (const bucket of new Set(items.map(({ resource }) => bucketOfArn(resource)))) {
    const policy = bucket === undefined ? undefined : await find(bucket)
    if (policy !== undefined) found.set(bucket, policy)
  }
  return found
}

function questions(
  values: Values,
): readonly Readonly<{ index: string; action: string; resource: string }>[] {
  const resources = values.ResourceArns.length > 0 ? values.ResourceArns : ['*']
  if (resources.length * values.ActionNames.length > maxQuestions) {
    throw new IamError(
      'invalid_parameter',
      `Actions times resources are at most ${maxQuestions} in one simulation`,
    )
  }
  return values.ActionNames.flatMap((action) =>
    resources.map((resource) => ({ action, resource })),
  ).map((question, index) => ({ ...question, index: String(index).padStart(4, '0') }))
}

/** Whom the policy of the resource sees. */
function callerOf(subject: Subject, arn: string | undefined): Subject['principal'] {
  if (arn === undefined) return subject.principal
  if (/^arn:aws:iam::000000000000:user\/[\w+=,.@-]+$/.test(arn)) {
    return { kind: 'user', account, arn }
  }
  throw new IamError('invalid_parameter', `CallerArn must be the ARN of a user: ${userArn('NAME')}`)
}

const decisions = {
  allow: 'allowed',
  'explicit-deny': 'explicitDeny',
  'implicit-deny': 'implicitDeny',
} as const

function evaluation(admin: Directory, decision: AccessDecision, isBounded: boolean): Members {
  const deciding = decision.outcome === 'explicit-deny' ? 'deny' : 'allow'
  const policies = decision.layers.flatMap(({ policies: each }) => each)
  const boundary = decision.layers.filter(({ name }) => name === boundaryName)
  return {
    EvalActionName: decision.action,
    EvalResourceName: decision.resource,
    EvalDecision: decisions[decision.outcome],
    MatchedStatements: policies
      .filter(({ verdict }) => verdict === deciding && decision.outcome !== 'implicit-deny')
      .flatMap(({ policy, statements }) =>
        statements.map(({ index, sid }) => ({
          SourcePolicyId: policy,
          SourcePolicyType: sourceType(admin, policy),
          StatementIndex: index,
          Sid: sid,
        })),
      ),
    MissingContextValues: [],
    PermissionsBoundaryDecisionDetail: isBounded
      ? { AllowedByPermissionsBoundary: boundary.every(({ verdict }) => verdict === 'allow') }
      : undefined,
    Reason: decision.reason,
  }
}
