import type { SessionPrincipal } from '../credentials/types.ts'
import type { Principal } from '../identity/index.ts'
import { elsewhereMark } from './claims-elsewhere.ts'
import { readableClaims } from './readable-claims.ts'

type Claims = SessionPrincipal['claims']

/** The part of a principal that its sessions keep: of the claims those alone that policies may read. */
export function storable(principal: Principal): SessionPrincipal {
  const { kind, provider, issuer, subject, displayName, groups } = principal
  return { kind, provider, issuer, subject, displayName, groups, claims: claimsOf(principal) }
}

function claimsOf(principal: Principal): Claims {
  const { kind, claims } = principal
  switch (kind) {
    case 'root':
    case 'user':
      return new Map()
    case 'web-identity':
      return new Map([...readableClaims(claims), ...elsewhereMark(claims)])
    case 'service-account':
      return readableClaims(claims)
    case 'custom-token':
      return pluginClaims(principal)
    case 'ldap':
      return texts([['username', claims.get('ldap:username')]])
    case 'certificate':
      return texts(certificateClaims.map((name) => [name, claims.get(name)]))
  }
  return kind satisfies never
}

/** A plugin knows whom a token stands for; who issued it and for whom, it does not prove. */
function pluginClaims({ claims, subject }: Principal): Claims {
  const own = new Map(readableClaims(claims))
  for (const name of ['iss', 'aud', 'jti']) own.delete(name)
  return own.set('sub', subject)
}

const certificateClaims = [
  'cn',
  'issuer_cn',
  'serial',
  'organization',
  'organizational_unit',
  'san_dns',
  'san_uri',
]

function texts(claims: readonly (readonly [string, unknown])[]): Claims {
  const kept = new Map<string, string | readonly string[]>()
  for (const [name, value] of claims) {
    if (typeof value === 'string') kept.set(name, value)
    if (Array.isArray(value))
      kept.set(
        name,
        value.filter((item) => typeof item === 'string'),
      )
  }
  return kept
}
