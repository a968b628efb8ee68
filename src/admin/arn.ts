import type { RegisteredProvider, RoleArn } from './types.ts'

/** One account is all there is; ARNs carry it so that the clients' own checks pass. */
const account = '000000000000'
const rolePrefix = `arn:aws:iam::${account}:role/`
const providerPrefix = `arn:aws:iam::${account}:oidc-provider/`

export function roleArn(name: string): RoleArn {
  return `arn:aws:iam::${account}:role/${name}`
}

/** No name of a role has a colon, so nothing is both. */
export function roleName(nameOrArn: string): string {
  return nameOrArn.startsWith(rolePrefix) ? nameOrArn.slice(rolePrefix.length) : nameOrArn
}

export function providerArn(name: string): RegisteredProvider['arn'] {
  return `arn:aws:iam::${account}:oidc-provider/${name}`
}

/** `undefined`: not the ARN of a provider. */
export function providerNameOf(arn: string): string | undefined {
  return arn.startsWith(providerPrefix) ? arn.slice(providerPrefix.length) : undefined
}
