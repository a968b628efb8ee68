import type { ConditionKey } from '../condition-keys.ts'
import { issuerName } from '../federated-claim.ts'
import type { NarrowFacts } from './narrow-types.ts'

/**
 * Who answers for a condition key. `person`: decided here and now, since the target knows only the broker who calls it.
 * `request`: the target knows it and we do not. `unknown`: nobody is known to answer, so nothing can be shown. A key that
 * is added to the engine is unknown until it stands here.
 */
export function answersFor(
  key: ConditionKey,
  facts: NarrowFacts,
): 'person' | 'request' | 'unknown' {
  if (key.known === 'claim') return isOwnClaim(key.canonical, facts) ? 'person' : 'unknown'
  if (!key.known) return 'unknown'
  if (startsWithOne(key.canonical, personKeys)) return 'person'
  return startsWithOne(key.canonical, requestKeys.keys()) ? 'request' : 'unknown'
}

/** `undefined`: no key of requests. */
export function spellingOf({ canonical }: ConditionKey): string | undefined {
  for (const [start, spelling] of requestKeys) {
    if (matchesStart(canonical, start)) return spelling + canonical.slice(start.length)
  }
  return undefined
}

/** Claims of a provider that did not speak for this person may belong to a provider, or be a slip: we do not know. */
function isOwnClaim(name: string, { federated }: NarrowFacts): boolean {
  const names = [federated?.provider, issuerName(federated?.issuer)]
  return names.some(
    (own) =>
      own !== undefined && own !== '' && name.toLowerCase().startsWith(`${own}:`.toLowerCase()),
  )
}

/** Whole names, or what a name starts with when it ends in `:` or `/`. */
const personKeys = [
  'aws:username',
  'aws:userid',
  'aws:principaltype',
  'aws:principalarn',
  'aws:principalaccount',
  'aws:principaltag/',
  'aws:groups',
  'aws:tokenissuetime',
  'aws:federatedprovider',
  'sts:rolesessionname',
  'sts:sourceidentity',
  'jwt:',
  'ldap:',
  'cert:',
]

/** In lower case, with the spelling that documents use. */
const requestKeys: ReadonlyMap<string, string> = new Map(
  [
    'aws:CurrentTime',
    'aws:EpochTime',
    'aws:SecureTransport',
    'aws:SourceIp',
    'aws:UserAgent',
    'aws:Referer',
    'aws:RequestedRegion',
    'aws:RequestTag/',
    'aws:TagKeys',
    'sts:DurationSeconds',
    'sts:ExternalId',
    'sts:TransitiveTagKeys',
    's3:authType',
    's3:signatureversion',
    's3:signatureAge',
    's3:LocationConstraint',
    's3:ResourceAccount',
    's3:TlsVersion',
    's3:ObjectCreationOperation',
    's3:ExistingObjectTag/',
    's3:RequestObjectTag/',
    's3:RequestObjectTagKeys',
    's3:',
  ].map((name) => [name.toLowerCase(), name]),
)

function startsWithOne(name: string, starts: Iterable<string>): boolean {
  for (const start of starts) if (matchesStart(name, start)) return true
  return false
}

function matchesStart(name: string, start: string): boolean {
  return start.endsWith(':') || start.endsWith('/') ? name.startsWith(start) : name === start
}

/** Keys of requests that hold several values at once. */
export function hasManyValues({ canonical }: ConditionKey): boolean {
  return manyValued.has(canonical)
}
const manyValued: ReadonlySet<string> = new Set([
  's3:requestobjecttagkeys',
  'aws:tagkeys',
  'sts:transitivetagkeys',
])
