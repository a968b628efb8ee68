import type { Grant } from '../grants/index.ts'
import type { Ancestor, PolicySource, Session, SessionPrincipal } from './types.ts'

/** The members of a session that its token carries; access key id and sealing key stand outside of it. */
export type SessionBody = Omit<Session, 'accessKeyId' | 'sealingKey'>

/** Numbers that are never given to another kind; the compiler asks for the missing ones. */
const kindNumbers: Readonly<Record<SessionPrincipal['kind'], number>> = {
  root: 0,
  user: 1,
  'web-identity': 2,
  ldap: 3,
  certificate: 4,
  'custom-token': 5,
  'service-account': 6,
}
const kinds = [
  'root',
  'user',
  'web-identity',
  'ldap',
  'certificate',
  'custom-token',
  'service-account',
] as const

const wayNumbers: Readonly<Record<NonNullable<Session['way']>, number>> = {
  'session-token': 1,
  federation: 2,
}
const ways = ['session-token', 'federation'] as const

/** How many members the encodings have. What was sealed by the first one opens as long as it lives. */
const memberCounts = { dps1: 17, dps2: 21 } as const
export type SessionEncoding = keyof typeof memberCounts

/**
 * A session as a compact JSON array: members by position, maps as flat lists, instants as numbers. JSON, because it
 * keeps every string that JavaScript can hold, lone surrogates too.
 */
export function encodeSession(grant: Grant, issuedAt: Date): Buffer {
  const { principal, lineage } = grant
  const packed = [
    grant.tenant,
    kindNumbers[principal.kind],
    principal.provider,
    principal.issuer,
    principal.subject,
    principal.displayName,
    principal.groups,
    [...principal.claims].flat(1),
    encodeSource(grant.source),
    grant.sessionName,
    grant.sessionPolicies,
    [...grant.tags].flat(1),
    grant.sourceIdentity ?? null,
    instant(issuedAt),
    Math.floor(instant(grant.expiresAt) / 1000),
    lineage.parentAccessKeyId ?? null,
    lineage.jti ?? null,
    grant.sessionPolicyNames,
    grant.transitiveTagKeys,
    grant.way === undefined ? null : wayNumbers[grant.way],
    (lineage.ancestors ?? []).map(encodeAncestor),
  ]
  return Buffer.from(JSON.stringify(packed), 'utf8')
}

/** Throws when the text is not what `encodeSession` writes; only text whose seal held comes here. */
export function decodeSession(encoded: Buffer, encoding: SessionEncoding): SessionBody {
  const member = list(JSON.parse(encoded.toString('utf8')))
  if (member.length !== memberCounts[encoding]) throw new TypeError('not a session')
  const sourceIdentity = optionalText(member[12])
  const way = decodeWay(member[19] ?? null)
  return {
    tenant: text(member[0]),
    principal: decodePrincipal(member),
    source: decodeSource(list(member[8])),
    sessionName: text(member[9]),
    sessionPolicies: list(member[10]).map(texts),
    sessionPolicyNames: list(member[17] ?? []).map(texts),
    tags: new Map(pairs(member[11]).map(([name, value]) => [name, text(value)])),
    transitiveTagKeys: texts(member[18] ?? []),
    ...(way && { way }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
    issuedAt: new Date(whole(member[13])),
    expiresAt: new Date(whole(member[14]) * 1000),
    lineage: decodeLineage(member),
  }
}

function decodeWay(value: unknown): Session['way'] {
  if (value === null) return undefined
  const way = ways.find((name) => wayNumbers[name] === value)
  if (way === undefined) throw new TypeError('not a way to a session')
  return way
}

function decodePrincipal(member: readonly unknown[]): SessionPrincipal {
  const kind = kinds.find((name) => kindNumbers[name] === member[1])
  if (kind === undefined) throw new TypeError('not a principal kind')
  return {
    kind,
    provider: text(member[2]),
    issuer: text(member[3]),
    subject: text(member[4]),
    displayName: text(member[5]),
    groups: texts(member[6]),
    claims: new Map(pairs(member[7]).map(([name, value]) => [name, claim(value)])),
  }
}

function encodeSource(source: PolicySource): readonly unknown[] {
  switch (source.kind) {
    case 'root':
      return ['root']
    case 'user':
      return ['user', source.name]
    case 'policies':
      return ['policies', ...source.names]
    case 'role':
      return ['role', source.arn, source.name, ...(source.id === undefined ? [] : [source.id])]
    case 'ldap':
      return ['ldap', source.user]
    case 'binding':
      return ['binding', source.bindings, source.names, source.documents, source.roleArn ?? null]
  }
  return source satisfies never
}

function decodeSource([kind, ...rest]: readonly unknown[]): PolicySource {
  switch (kind) {
    case 'root':
      return { kind }
    case 'user':
      return { kind, name: text(rest[0]) }
    case 'policies':
      return { kind, names: texts(rest) }
    case 'role':
      return decodeRole(rest)
    case 'ldap':
      return { kind, user: text(rest[0]) }
    case 'binding':
      return decodeBinding(rest)
    default:
      throw new TypeError('not a policy source')
  }
}

function decodeBinding([bindings, names, documents, roleArn]: readonly unknown[]): PolicySource {
  const role = optionalText(roleArn)
  return {
    kind: 'binding',
    bindings: texts(bindings),
    names: texts(names),
    documents: texts(documents),
    ...(role !== undefined && { roleArn: role }),
  }
}

function decodeRole([arn, name, id]: readonly unknown[]): PolicySource {
  const role = { kind: 'role', arn: text(arn), name: text(name) } as const
  return id === undefined ? role : { ...role, id: text(id) }
}

function encodeAncestor({
  accessKeyId,
  sealingKey,
  issuedAt,
  source,
}: Ancestor): readonly unknown[] {
  return [accessKeyId, sealingKey, instant(issuedAt), ...encodeSource(source)]
}

function decodeAncestor(value: unknown): Ancestor {
  const [accessKeyId, sealingKey, issuedAt, ...source] = list(value)
  return {
    accessKeyId: text(accessKeyId),
    sealingKey: text(sealingKey),
    issuedAt: new Date(whole(issuedAt)),
    source: decodeSource(source),
  }
}

function decodeLineage(member: readonly unknown[]): Session['lineage'] {
  const parentAccessKeyId = optionalText(member[15])
  const jti = optionalText(member[16])
  const ancestors = list(member[20] ?? []).map(decodeAncestor)
  return {
    ...(parentAccessKeyId !== undefined && { parentAccessKeyId }),
    ...(jti !== undefined && { jti }),
    ...(ancestors.length > 0 && { ancestors }),
  }
}

function instant(date: Date): number {
  return whole(date.getTime())
}

function whole(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new TypeError('not a whole number')
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError('not a text')
}

function optionalText(value: unknown): string | undefined {
  return value === null ? undefined : text(value)
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new TypeError('not a list')
}

function texts(value: unknown): readonly string[] {
  return list(value).map(text)
}

function claim(value: unknown): string | readonly string[] {
  return typeof value === 'string' ? value : texts(value)
}

/** `[name, value, name, value]` */
function pairs(value: unknown): readonly (readonly [string, unknown])[] {
  const flat = list(value)
  return Array.from({ length: Math.ceil(flat.length / 2) }, (_, index) => [
    text(flat[2 * index]),
    flat[2 * index + 1],
  ])
}
