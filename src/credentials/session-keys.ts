import type { PolicySource, SessionPrincipal } from './types.ts'

/**
 * One text for one principal. The provider's length stands before it, so that provider `a` with subject `bc` and
 * provider `ab` with subject `c` differ whatever characters they hold.
 */
export function principalKey(
  principal: Pick<SessionPrincipal, 'kind' | 'provider' | 'subject'>,
): string {
  const { kind, provider, subject } = principal
  // The configuration gives no name to two providers, whatever they verify. So whoever revokes somebody who came in from
  // outside names provider and subject, and need not know by what proof.
  const family = kind === 'root' || kind === 'user' ? kind : 'web-identity'
  return `${family}:${provider.length}:${provider}:${subject}`
}

/** The texts by which a revocation rule may name where a session's policies come from. */
export function policySourceKeys(source: PolicySource): readonly string[] {
  switch (source.kind) {
    case 'root':
      return ['root']
    case 'user':
      return [`user/${source.name}`]
    case 'policies':
      return source.names.map((name) => `policy/${name}`)
    case 'role':
      return [`role/${source.name}`]
    case 'ldap':
      return [`ldap/${source.user}`]
    case 'binding':
      return [
        ...source.bindings.map((binding) => `binding/${binding}`),
        ...source.names.map((name) => `policy/${name}`),
      ]
  }
  return source satisfies never
}
