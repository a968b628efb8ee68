import type { Principal } from '../../identity/index.ts'
import { parsePolicy } from '../../policy/index.ts'
import type { NamedPolicy } from '../../policy/index.ts'
import { createGrants } from '../index.ts'
import type { GrantRequest, Grants, GrantsOptions } from '../index.ts'

/** What the tests of this room share: a clock that stands still, some policies, principals as identity makes them. */
export const now = new Date('2026-03-01T12:00:00.250Z')

export function secondsFromNow(seconds: number): Date {
  return new Date(Math.floor(now.getTime() / 1000) * 1000 + seconds * 1000)
}

export function policy(name: string, ...statements: readonly object[]): NamedPolicy {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  return { name, policy: parsePolicy(text, 'identity') }
}

export const allowRead = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }
export const allowWrite = { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' }

export function book(...policies: readonly NamedPolicy[]): GrantsOptions['policies'] {
  const byName = new Map(policies.map((named) => [named.name, named]))
  return { find: (name) => byName.get(name) }
}

export const standardBook = book(policy('readonly', allowRead), policy('writeonly', allowWrite))

export const limits: GrantsOptions['limits'] = {
  minSeconds: 900,
  maxSeconds: 43_200,
  defaultSeconds: 3600,
  maxSessionPolicyBytes: 2048,
}

export function desk(options: Partial<GrantsOptions> = {}): Grants {
  return createGrants({
    tenant: 'default',
    policies: standardBook,
    users: { policiesOf: (name) => (name === 'alice' ? [policy('p', allowRead)] : undefined) },
    providers: [{ kind: 'claim', provider: 'dex', claimName: 'policy' }],
    limits,
    clock: () => now,
    ...options,
  })
}

type Fields = {
  [K in keyof Principal as K extends string ? K : never]?: Principal[K] | undefined
}

/** As the identity room would make it, once it had verified a token. */
export function tokenPrincipal(
  claims: Readonly<Record<string, unknown>>,
  more: Fields = {},
): Principal {
  const fields = {
    kind: 'web-identity',
    provider: 'dex',
    issuer: 'https://idp.example.com',
    subject: 'alice',
    displayName: 'Alice',
    groups: [],
    claims: new Map(Object.entries({ sub: 'alice', ...claims })),
    expiresAt: secondsFromNow(3600),
    ...more,
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand belongs to the identity room
  return fields as unknown as Principal
}

export function keyPrincipal(kind: 'root' | 'user', subject: string): Principal {
  const fields: Fields = { kind, provider: 'internal', issuer: 'default', subject }
  return tokenPrincipal({}, { ...fields, claims: new Map(), expiresAt: undefined })
}

export const webIdentityRequest: GrantRequest = {
  action: 'sts:AssumeRoleWithWebIdentity',
  client: { source: '203.0.113.5', secure: true },
}

export const assumeRoleRequest: GrantRequest = { ...webIdentityRequest, action: 'sts:AssumeRole' }
