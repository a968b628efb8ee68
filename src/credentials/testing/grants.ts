import * as fc from 'fast-check'
import type { Grant } from '../../grants/index.ts'
import type { Ancestor, PolicySource, SessionPrincipal } from '../types.ts'

type Content = Omit<Grant, keyof { [K in keyof Grant as K extends symbol ? K : never]: never }>

/** Only the grants room makes grants; tests of what comes after it may pretend. */
function pretend(content: Content): Grant {
  return content as Grant // oxlint-disable-line typescript/no-unsafe-type-assertion -- the symbol is the grants room's own
}

/** Jane, signed in at keycloak at noon, for an hour. */
export function janesGrant(changes: Partial<Content> = {}): Grant {
  return pretend({
    principal: {
      kind: 'web-identity',
      provider: 'keycloak',
      issuer: 'https://idp.example.com/realms/main',
      subject: 'f3b2-jane',
      displayName: 'jane@example.com',
      groups: ['dev', 'ops'],
      claims: new Map<string, string | readonly string[]>([
        ['email', 'jane@example.com'],
        ['groups', ['dev', 'ops']],
      ]),
    },
    tenant: 'default',
    source: { kind: 'policies', names: ['readwrite'] },
    sessionName: 'jane',
    sessionPolicies: [],
    sessionPolicyNames: [],
    tags: new Map([['team', 'blue']]),
    transitiveTagKeys: [],
    issuedAt: new Date('2026-01-01T12:00:00Z'),
    expiresAt: new Date('2026-01-01T13:00:00Z'),
    lineage: { jti: 'b7a1c2d3' },
    trace: [],
    ...changes,
  })
}

/** Any UTF-16 code units, so lone surrogates, NUL and quotes too. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xff_ff }), fc.integer({ min: 0x20, max: 0x7e })), {
    maxLength: 30,
  })
  .map((units) => String.fromCharCode(...units))
const anyName = fc.string({ minLength: 1, maxLength: 20 })

const anySource: fc.Arbitrary<PolicySource> = fc.oneof(
  fc.constant({ kind: 'root' as const }),
  anyName.map((name) => ({ kind: 'user' as const, name })),
  fc
    .array(anyName, { minLength: 1, maxLength: 4 })
    .map((names) => ({ kind: 'policies' as const, names })),
  fc.tuple(anyText, anyName).map(([arn, name]) => ({ kind: 'role' as const, arn, name })),
  fc
    .tuple(anyText, anyName, anyName)
    .map(([arn, name, id]) => ({ kind: 'role' as const, arn, name, id })),
  anyText.map((user) => ({ kind: 'ldap' as const, user })),
)

const anyAncestors: fc.Arbitrary<readonly Ancestor[]> = fc.array(
  fc.record(
    {
      accessKeyId: anyName,
      sealingKey: anyName,
      issuedAt: fc.integer({ min: 0, max: 1_767_268_800_000 }).map((time) => new Date(time)),
      source: anySource,
    },
    { noNullPrototype: true },
  ),
  { maxLength: 3 },
)

const anyPrincipal: fc.Arbitrary<SessionPrincipal> = fc.record(
  {
    kind: fc.constantFrom<SessionPrincipal['kind']>(
      'root',
      'user',
      'web-identity',
      'ldap',
      'certificate',
      'custom-token',
    ),
    provider: anyText,
    issuer: anyText,
    subject: anyText,
    displayName: anyText,
    groups: fc.array(anyText, { maxLength: 4 }),
    claims: fc
      .array(fc.tuple(anyText, fc.oneof(anyText, fc.array(anyText, { maxLength: 3 }))), {
        maxLength: 4,
      })
      .map((claims) => new Map<string, string | readonly string[]>(claims)),
  },
  { noNullPrototype: true },
)

/** Any grant of up to seven days, issued at noon; texts hold whatever a string can hold. */
export const anyGrant: fc.Arbitrary<Grant> = fc
  .record({
    principal: anyPrincipal,
    tenant: anyName,
    source: anySource,
    sessionName: anyName,
    sessionPolicies: fc.array(fc.array(anyText, { maxLength: 3 }), { maxLength: 3 }),
    sessionPolicyNames: fc.array(fc.array(anyName, { maxLength: 3 }), { maxLength: 3 }),
    transitiveTagKeys: fc.array(anyText, { maxLength: 3 }),
    way: fc.option(fc.constantFrom('session-token' as const, 'federation' as const), {
      nil: undefined,
    }),
    ancestors: anyAncestors,
    tags: fc.array(fc.tuple(anyText, anyText), { maxLength: 4 }).map((tags) => new Map(tags)),
    sourceIdentity: fc.option(anyText, { nil: undefined }),
    seconds: fc.integer({ min: 1, max: 604_800 }),
    parentAccessKeyId: fc.option(anyText, { nil: undefined }),
    jti: fc.option(anyText, { nil: undefined }),
  })
  .map(({ seconds, sourceIdentity, parentAccessKeyId, jti, way, ancestors, ...members }) =>
    pretend({
      ...members,
      ...(way && { way }),
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      issuedAt: new Date('2026-01-01T12:00:00Z'),
      expiresAt: new Date(Date.parse('2026-01-01T12:00:00Z') + seconds * 1000),
      lineage: {
        ...(parentAccessKeyId !== undefined && { parentAccessKeyId }),
        ...(jti !== undefined && { jti }),
        ...(ancestors.length > 0 && { ancestors }),
      },
      trace: [],
    }),
  )
