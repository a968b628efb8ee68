import type { Session, SessionPrincipal } from '../credentials/types.ts'
import type { AwsFacts, CertificateFacts, Facts } from '../policy/index.ts'
import { isRegistered, keyPrefixOf } from './registered-provider.ts'
import { account, rootArn, sessionArn, sessionUserId, userArn } from './session-identity.ts'

type FactSession = Pick<
  Session,
  'principal' | 'source' | 'sessionName' | 'way' | 'sourceIdentity' | 'issuedAt'
>

/** Facts of who somebody is; those of the request stand beside them. */
export type IdentityFacts = Omit<Facts, 'aws'> & Readonly<{ aws: Omit<AwsFacts, 'CurrentTime'> }>

export const rootFacts: IdentityFacts = {
  aws: {
    principaltype: 'Account',
    userid: account,
    PrincipalAccount: account,
    PrincipalArn: rootArn,
  },
}

export function userFacts(name: string, tags: ReadonlyMap<string, string>): IdentityFacts {
  return {
    aws: {
      principaltype: 'User',
      username: name,
      userid: name,
      PrincipalAccount: account,
      PrincipalArn: userArn(name),
    },
    principalTags: tags,
  }
}

/** Only what was proven when the session began; nothing of the request reaches these namespaces. */
export function sessionFacts(
  session: FactSession,
  tags: ReadonlyMap<string, string>,
): IdentityFacts {
  const { principal, source, sourceIdentity } = session
  return {
    aws: {
      principaltype: principalType(session),
      // The sessions of a user keep the user's name, so that `${aws:username}` means the same in both. A role has none.
      ...(source.kind === 'user' ? { username: source.name } : {}),
      userid: sessionUserId(session),
      PrincipalAccount: account,
      PrincipalArn: sessionArn(session),
      TokenIssueTime: session.issuedAt,
      ...providerAwsFacts(principal),
    },
    principalTags: tags,
    sts: {
      ...(session.way === undefined ? { RoleSessionName: session.sessionName } : {}),
      ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
    },
    ...providerFacts(principal),
  }
}

/** `aws:groups` and `aws:FederatedProvider`: what a provider says of its people. */
export function providerAwsFacts(
  principal: Pick<SessionPrincipal, 'kind' | 'provider' | 'issuer' | 'groups'>,
): Pick<AwsFacts, 'groups' | 'FederatedProvider'> {
  const { kind, provider, issuer, groups } = principal
  if (kind === 'root' || kind === 'user') return {}
  // Whoever names a cluster does not know what the directories of its tenants are called: as in ARNs, `=` keeps them apart.
  if (kind === 'service-account') {
    return { ...(groups.length > 0 && { groups }), FederatedProvider: `kubernetes=${provider}` }
  }
  return {
    ...(groups.length > 0 && { groups }),
    // As at AWS, an ARN where there is one. A bucket policy for the issuer was not written for whoever is its client.
    FederatedProvider:
      kind === 'web-identity' && !isRegistered({ kind, provider }) ? issuer : provider,
  }
}

/** `jwt:*`, `ldap:*`, `cert:*` and `<provider>:*`: each kind of principal has its own namespace and no other one's. */
export function providerFacts(
  principal: SessionPrincipal,
): Pick<Facts, 'jwt' | 'ldap' | 'cert' | 'federated'> {
  const { kind, provider, issuer, subject, groups, claims } = principal
  switch (kind) {
    case 'root':
    case 'user':
      return {}
    case 'web-identity':
      return { jwt: claims, federated: { provider: keyPrefixOf(principal), issuer, claims } }
    case 'custom-token':
      return { jwt: claims, federated: { provider, claims } }
    case 'ldap': {
      const username = claims.get('username')
      return {
        ldap: { user: subject, groups, ...(typeof username === 'string' && { username }) },
        federated: { provider, claims },
      }
    }
    case 'service-account':
      return { jwt: claims, federated: { provider, issuer, claims } }
    case 'certificate':
      return { cert: certificateFacts(claims), federated: { provider, claims } }
  }
  return kind satisfies never
}

function certificateFacts(claims: SessionPrincipal['claims']): CertificateFacts {
  const one = (name: 'cn' | 'issuer_cn' | 'serial') => {
    const value = claims.get(name)
    return typeof value === 'string' ? { [name]: value } : {}
  }
  const many = (name: 'organization' | 'organizational_unit' | 'san_dns' | 'san_uri') => {
    const value = claims.get(name)
    return value === undefined ? {} : { [name]: [value].flat() }
  }
  return {
    ...one('cn'),
    ...one('issuer_cn'),
    ...one('serial'),
    ...many('organization'),
    ...many('organizational_unit'),
    ...many('san_dns'),
    ...many('san_uri'),
  }
}

function principalType({ source, way }: FactSession): NonNullable<AwsFacts['principaltype']> {
  if (way === 'federation') return 'FederatedUser'
  if (source.kind === 'root') return 'Account'
  return way === 'session-token' ? 'User' : 'AssumedRole'
}
