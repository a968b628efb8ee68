import {
  isAllowed,
  parsePolicy,
  type Access,
  type Facts,
  type NamedPolicy,
  type Policy,
  type PolicyKind,
  type PolicyPrincipal,
  type Question,
  type S3Facts,
} from '../index.ts'

/** Short forms for tests: one user, one access, policies written as objects. */
export const account = '000000000000'
export const alice = `arn:aws:iam::${account}:user/alice`
export const user: PolicyPrincipal = { kind: 'user', account, arn: alice }
export const noon: Facts = { aws: { CurrentTime: new Date('2026-06-01T12:00:00Z') } }

export function policyOf(
  statements: unknown,
  kind: PolicyKind = 'identity',
  version = '2012-10-17',
): Policy {
  return parsePolicy(JSON.stringify({ Version: version, Statement: statements }), kind)
}

export function namedPolicy(statements: unknown, kind: PolicyKind = 'identity'): NamedPolicy {
  return { name: `the ${kind} policy`, policy: policyOf(statements, kind) }
}

export function questionOf(
  identity: readonly NamedPolicy[],
  access: Partial<Access> = {},
  rest: Partial<Question> = {},
): Question {
  const whole = { action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', ...access }
  return { principal: user, facts: noon, identity, ceilings: [], accesses: [whole], ...rest }
}

/** Whether an Allow of everything under this condition allows: so the condition alone answers. */
export function conditionHolds(
  condition: unknown,
  context: Readonly<{ facts?: Partial<Facts>; s3?: S3Facts }> = {},
  version = '2012-10-17',
): boolean {
  const statement = { Effect: 'Allow', Action: '*', Resource: '*', Condition: condition }
  const policy = { name: 'conditional', policy: policyOf(statement, 'identity', version) }
  const facts = { ...noon, ...context.facts }
  return isAllowed(questionOf([policy], context.s3 ? { s3: context.s3 } : {}, { facts }))
}

/** Whether an Allow on this resource reaches the object. */
export function resourceCovers(
  resource: string | readonly string[],
  target: string,
  facts: Partial<Facts> = {},
  version = '2012-10-17',
): boolean {
  const statement = { Effect: 'Allow', Action: 's3:*', Resource: resource }
  const policy = { name: 'resource', policy: policyOf(statement, 'identity', version) }
  return isAllowed(questionOf([policy], { resource: target }, { facts: { ...noon, ...facts } }))
}
