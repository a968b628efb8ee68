import type { CheckedClaims } from './claims.ts'
import type { JsonObject } from './json-object.ts'
import type { Principal, Signer } from './types.ts'

/** Of a verified token; `added` are the claims that userinfo contributed. */
export function webIdentityPrincipal(
  provider: string,
  proven: CheckedClaims,
  added: JsonObject,
  oneTime = false,
): Principal {
  const claims = new Map<string, unknown>([
    ...Object.entries(added),
    ...Object.entries(proven.claims),
  ])
  const jti = claims.get('jti')
  return mint({
    kind: 'web-identity',
    provider,
    issuer: proven.issuer,
    subject: proven.subject,
    displayName: displayNameOf(claims) ?? proven.subject,
    groups: groupsOf(claims.get('groups')),
    claims,
    ...(typeof jti === 'string' && jti !== '' && { jti }),
    ...(oneTime && { oneTime }),
    expiresAt: proven.expiresAt,
  })
}

/** Of a long-lived key whose signature has been verified. Root is one and the same whatever its key is called. */
export function keyPrincipal(signer: Signer, tenant: string): Principal {
  const subject = signer.kind === 'root' ? 'root' : signer.user
  if (subject === '' || tenant === '') throw new TypeError('a user or tenant without a name')
  return mint({
    kind: signer.kind,
    provider: 'internal',
    issuer: tenant,
    subject,
    displayName: subject,
    groups: [],
    claims: new Map(),
  })
}

/** Of a login that a directory has accepted. Its groups are normalised names. */
export function ldapPrincipal(
  proven: Pick<Fields, 'provider' | 'subject' | 'displayName' | 'groups' | 'claims'>,
): Principal {
  return mint({ kind: 'ldap', issuer: proven.provider, ...proven })
}

function displayNameOf(claims: ReadonlyMap<string, unknown>): string | undefined {
  const names = [claims.get('preferred_username'), claims.get('email')]
  return names.find((name): name is string => typeof name === 'string' && name !== '')
}

/** One text is one group, commas and all. What is no text cannot be the name of a group. */
function groupsOf(claim: unknown): readonly string[] {
  const isGroup = (group: unknown): group is string => typeof group === 'string' && group !== ''
  return [...new Set([claim].flat().filter(isGroup))]
}

type Fields = { [K in keyof Principal as K extends string ? K : never]: Principal[K] }

/** For the verifiers of this room alone: the fields are proven, every one of them. */
export function mint(fields: Fields): Principal {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where a Principal is made
  return fields as Principal
}
