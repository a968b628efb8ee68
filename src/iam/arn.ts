import { checkPolicyName } from '../admin/index.ts'
import type { Directory, StoredPolicy } from '../admin/index.ts'
import { IamError } from './iam-error.ts'

/** One account is all there is; ARNs carry it so that the clients' own checks pass. */
export const account = '000000000000'

export const rootArn = `arn:aws:iam::${account}:root`

export function userArn(name: string): string {
  return `arn:aws:iam::${account}:user/${name}`
}

export function groupArn(name: string): string {
  return `arn:aws:iam::${account}:group/${name}`
}

export function roleArn(name: string): string {
  return `arn:aws:iam::${account}:role/${name}`
}

/** The ARN of the provider with this URL, as far as it is one: what is no URL of a provider is refused later. */
export function providerArnOfUrl(url: string): string {
  return `arn:aws:iam::${account}:oidc-provider/${url.replace(/^https?:\/\//, '')}`
}

/** The bucket that an ARN of S3 names, by itself and not by a pattern. */
export function bucketOfArn(arn: string): string | undefined {
  return /^arn:aws:s3:::([^/*?]+)(?:\/|$)/.exec(arn)?.[1]
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

/** The ARN under which an attached policy is listed, also when the policy itself is gone. */
export function attachedArn(admin: Directory, name: string): string {
  const policy = admin.findPolicy(name)
  return policy ? policyArn(policy) : localPolicyArn(name)
}

/** A policy that is attached but gone can still be detached, by the ARN under which it is listed. */
export function attachedName(admin: Directory, arn: string): string {
  const name = policyNameOf(arn)
  return attachedArn(admin, name) === arn ? name : findPolicy(admin, arn).name
}

/** @throws IamError `no_such_entity`, also when the name exists under the other kind of ARN. */
export function findPolicy(admin: Directory, arn: string): StoredPolicy {
  const policy = findPolicyOfArn(admin, arn)
  if (!policy) throw new IamError('no_such_entity', `There is no policy ${arn}`)
  return policy
}

/** @throws AdminError or IamError for what is no ARN of a policy */
export function findPolicyOfArn(admin: Directory, arn: string): StoredPolicy | undefined {
  const policy = admin.findPolicy(policyNameOf(arn))
  return policy && policyArn(policy) === arn ? policy : undefined
}
