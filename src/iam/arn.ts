import { checkPolicyName } from '../admin/index.ts'
import type { Administration, StoredPolicy } from '../admin/index.ts'
import { IamError } from './iam-error.ts'

/** One account is all there is; ARNs carry it so that the clients' own checks pass. */
const account = '000000000000'

export const rootArn = `arn:aws:iam::${account}:root`

export function userArn(name: string): string {
  return `arn:aws:iam::${account}:user/${name}`
}

/** Built-in policies stand where AWS has its managed ones: `arn:aws:iam::aws:policy/readonly`. */
export function policyArn(policy: Pick<StoredPolicy, 'name' | 'managedBy'>): string {
  return policy.managedBy === 'built-in' ? builtInArn(policy.name) : localPolicyArn(policy.name)
}

export function localPolicyArn(name: string): string {
  return `arn:aws:iam::${account}:policy/${name}`
}

function builtInArn(name: string): string {
  return `arn:aws:iam::aws:policy/${name}`
}

const shape = /^arn:aws:iam::(?:000000000000|aws):policy\/(.*)$/s

/** The name in a policy's ARN. Exactly one text names a policy, so what was authorised is what is changed. */
export function policyNameOf(arn: string): string {
  const name = shape.exec(arn)?.[1]
  if (name === undefined) {
    throw new IamError(
      'invalid_parameter',
      `A policy's ARN is ${localPolicyArn('NAME')}, or ${builtInArn('NAME')} for a built-in one`,
    )
  }
  checkPolicyName(name)
  return name
}

/** @throws IamError `no_such_entity`, also when the name exists under the other kind of ARN. */
export function findPolicy(admin: Administration, arn: string): StoredPolicy {
  const policy = admin.findPolicy(policyNameOf(arn))
  if (!policy || policyArn(policy) !== arn) {
    throw new IamError('no_such_entity', `There is no policy ${arn}`)
  }
  return policy
}
