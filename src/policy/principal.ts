import type { Ask } from './ask.ts'
import type { Principals } from './document.ts'
import { malformed, shown } from './errors.ts'
import type { PolicyKind, PolicyPrincipal } from './types.ts'
import { withPlainPartition } from './resource.ts'

/** Whom a statement of a bucket policy or a trust policy means. `Service` and `CanonicalUser` principals are nobody who can ask here. */
export type PrincipalMatcher = Readonly<{
  negated: boolean
  /** `"*"`: also the anonymous. */
  everyone: boolean
  /** Account ids and `root` ARNs: in an Allow they only delegate to the account's own policies. */
  accounts: ReadonlySet<string>
  /** Users, roles, role sessions. */
  arns: ReadonlySet<string>
  federated: ReadonlySet<string>
}>

/** @throws PolicyError for AWS principals that are no account id, and no ARN of a user, a role or a session */
export function compilePrincipals(principals: Principals, kind: PolicyKind): PrincipalMatcher {
  if (kind === 'trust') refuseWildProviders(principals)
  const aws = (principals.byKind.get('AWS') ?? []).map((value) => parseAws(value, principals))
  const byKind = Map.groupBy(aws, ({ kind }) => kind)
  const valuesOf = (kind: AwsPrincipal['kind']): ReadonlySet<string> =>
    new Set((byKind.get(kind) ?? []).map(({ value }) => value))
  return {
    negated: principals.negated,
    everyone: principals.everyone || byKind.has('everyone'),
    accounts: valuesOf('account'),
    arns: valuesOf('arn'),
    federated: new Set(principals.byKind.get('Federated')),
  }
}

/** Whoever any provider vouches for, be it one that is added years later, is nobody that a role can mean. */
function refuseWildProviders({ byKind, path }: Principals): void {
  const wild = byKind.get('Federated')?.find((value) => /[*?\s\p{Cc}]|\$\{/u.test(value))
  if (wild === undefined) return
  throw malformed(
    `${path}.Federated`,
    `${shown(wild)} is not the name or the issuer of one provider`,
  )
}

export function matchesPrincipal(
  matcher: PrincipalMatcher,
  ask: Ask,
  effect: 'Allow' | 'Deny',
): boolean {
  if (matcher.everyone) return true
  const isMeant =
    isNamed(matcher, ask) ||
    isOfAccount(matcher, ask, effect) ||
    isDeniedIssuer(matcher, ask, effect)
  return isMeant !== matcher.negated
}

function isNamed(matcher: PrincipalMatcher, { principal, facts }: Ask): boolean {
  const provider = principal.kind === 'session' ? facts.aws.FederatedProvider : undefined
  if (provider !== undefined && matcher.federated.has(provider)) return true
  return hasArn(matcher, principal)
}

/** A Deny for an issuer means its people also where a provider made through the IAM API, named by ARN, vouched for them. */
function isDeniedIssuer(
  { federated, negated }: PrincipalMatcher,
  { principal, facts }: Ask,
  effect: 'Allow' | 'Deny',
): boolean {
  const issuer = principal.kind === 'session' ? facts.federated?.issuer : undefined
  return effect === 'Deny' && !negated && issuer !== undefined && federated.has(issuer)
}

/** By the ARN of the user, the role or the session; a user stands for its sessions, too. */
export function hasArn({ arns }: PrincipalMatcher, principal: PolicyPrincipal): boolean {
  if (principal.kind === 'user') return arns.has(principal.arn)
  if (principal.kind !== 'session') return false
  return [principal.arn, principal.roleArn, principal.userArn].some(
    (arn) => arn !== undefined && arns.has(arn),
  )
}

function isOfAccount(
  { accounts }: PrincipalMatcher,
  { principal }: Ask,
  effect: 'Allow' | 'Deny',
): boolean {
  return effect === 'Deny' && principal.kind !== 'anonymous' && accounts.has(principal.account)
}

type AwsPrincipal = Readonly<{ kind: 'everyone' | 'account' | 'arn'; value: string }>

const rootArn = /^arn:aws:iam::(\d{12}):root$/
const iamArn = /^arn:aws:iam::\d{12}:(?:user|role)\/[^*?${}\p{Cc}]+$/u
const sessionArn = /^arn:aws:sts::\d{12}:assumed-role\/[^*?${}/\p{Cc}]+\/[^*?${}/\p{Cc}]+$/u

function parseAws(value: string, { path, negated }: Principals): AwsPrincipal {
  if (value === '*') {
    if (negated) throw malformed(`${path}.AWS`, 'must name whom it spares')
    return { kind: 'everyone', value }
  }
  if (/^\d{12}$/.test(value)) return { kind: 'account', value }
  const arn = withPlainPartition(value)
  const account = rootArn.exec(arn)?.[1]
  if (account !== undefined) return { kind: 'account', value: account }
  if (iamArn.test(arn) || sessionArn.test(arn)) return { kind: 'arn', value: arn }
  throw malformed(
    `${path}.AWS`,
    `${shown(value)} is not "*", an account id, or the ARN of a user, a role or a role session`,
  )
}
