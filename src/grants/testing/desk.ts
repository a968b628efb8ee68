import type { Session } from '../../credentials/types.ts'
import type { Principal } from '../../identity/index.ts'
import { parsePolicy } from '../../policy/index.ts'
import type { NamedPolicy } from '../../policy/index.ts'
import { createGrants } from '../index.ts'
import type {
  Grant,
  GrantDirectory,
  GrantRequest,
  GrantRole,
  Grants,
  GrantsOptions,
} from '../index.ts'

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

export const standardPolicies = [policy('readonly', allowRead), policy('writeonly', allowWrite)]

export type People = Partial<
  Readonly<{
    policies: readonly NamedPolicy[]
    users: Readonly<Record<string, readonly NamedPolicy[]>>
    boundaries: Readonly<Record<string, NamedPolicy>>
    userTags: ReadonlyMap<string, string>
    roles: readonly GrantRole[]
    /** Made through the IAM API; by ARN. */
    providers: Readonly<Record<string, Readonly<{ createdAt: Date }>>>
    rolePolicies: Readonly<Record<string, readonly NamedPolicy[]>>
    roleBoundaries: Readonly<Record<string, NamedPolicy>>
    /** By DN. */
    attached: Readonly<Record<string, readonly NamedPolicy[]>>
  }>
>

/** A directory that holds exactly this. Roles go by their ARN, as in the administration also by their name. */
export function directoryOf(people: People = {}): GrantDirectory {
  const { policies = standardPolicies, users = { alice: [policy('p', allowRead)] } } = people
  const { roles = [], rolePolicies = {}, roleBoundaries = {}, attached = {} } = people
  const findRole = (key: string) => roles.find(({ name, arn }) => name === key || arn === key)
  return {
    findPolicy: (name) => policies.find((named) => named.name === name),
    findUser: (name) =>
      Object.hasOwn(users, name)
        ? { createdAt: new Date(0), tags: people.userTags ?? new Map() }
        : undefined,
    policiesOf: (name) => (Object.hasOwn(users, name) ? users[name] : undefined),
    boundaryOf: (name) => people.boundaries?.[name],
    findRole,
    findProvider: (arn) => people.providers?.[arn],
    policiesOfRole: (key) => {
      const role = findRole(key)
      return role && (rolePolicies[role.name] ?? [])
    },
    boundaryOfRole: (key) => roleBoundaries[findRole(key)?.name ?? ''],
    policiesAttachedTo: ({ kind, name, directory }) =>
      attached[`${directory} ${kind} ${name}`] ?? [],
  }
}

export function trustPolicy(...statements: readonly object[]): NamedPolicy['policy'] {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  return parsePolicy(text, 'trust')
}

export const accountRoot = { AWS: 'arn:aws:iam::000000000000:root' }

export function roleOf(name: string, ...trust: readonly object[]): GrantRole {
  return {
    name,
    arn: `arn:aws:iam::000000000000:role/${name}`,
    id: `AROA${name.toUpperCase().padEnd(16, '2')}`,
    trustPolicy: trustPolicy(...trust),
    maxSessionSeconds: 3600,
    tags: new Map(),
  }
}

export const limits: GrantsOptions['limits'] = {
  minSeconds: 900,
  maxSeconds: 43_200,
  defaultSeconds: 3600,
  maxSessionPolicyBytes: 2048,
}

export function desk(options: Partial<GrantsOptions> = {}): Grants {
  return createGrants({
    tenant: 'default',
    directory: directoryOf(),
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

/** As the credentials room would open it again, once it had been issued. */
export function sessionOf(grant: Grant, accessKeyId = 'ASIAPARENT'): Session {
  const { trace: _trace, ...members } = grant
  return { ...members, accessKeyId, sealingKey: 'k' }
}
