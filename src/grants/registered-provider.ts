import { account } from './session-identity.ts'

const prefix = `arn:aws:iam::${account}:oidc-provider/`

type Vouched = Readonly<{ kind: string; provider: string }>

/**
 * Whether a provider made through the IAM API vouched: then `provider` is its ARN, and no name in the configuration has a
 * colon.
 */
export function isRegistered({ kind, provider }: Vouched): boolean {
  return kind === 'web-identity' && provider.startsWith(prefix)
}

/** What stands before the colon of condition keys: `idp.example.com/realms/main` of one with such an ARN. */
export function keyPrefixOf(vouched: Vouched): string {
  return isRegistered(vouched) ? vouched.provider.slice(prefix.length) : vouched.provider
}
