import { AdminError } from './admin-error.ts'
import type { LdapSubject } from './types.ts'

/** Maps as pairs, in order: no name in one can be mistaken for something of the language. */
export type Pairs = readonly (readonly [name: string, value: string])[]

/** The stored documents: small JSON with a schema number (DESIGN section 6). Instants are ISO 8601 texts. */
export type PolicyDocument = Readonly<{
  /** Absent in documents of the first schema, as in the others below. */
  id?: string
  description?: string
  tags: Pairs
  /** Oldest first, normalised texts. */
  versions: readonly Readonly<{ id: string; text: string; createdAt: string }>[]
  defaultVersion: string
  /** The number of the version that will be made next: none is given twice. */
  nextVersion: number
  createdAt: string
  updatedAt: string
}>

/** What users, groups and roles have in common. */
export type HolderDocument = Readonly<{
  id?: string
  /** Names of the attached policies, in order. */
  policies: readonly string[]
  /** Inline policies: name and normalised text. */
  inline: Pairs
  createdAt: string
}>

export type UserDocument = HolderDocument &
  Readonly<{
    status: 'enabled' | 'disabled'
    /** Ids of its keys: whoever changes them writes the user too, so that no key outlives its user. */
    accessKeys: readonly string[]
    /** Names of its groups: whoever adds one writes the group too, so that no membership outlives its group. */
    groups: readonly string[]
    boundary?: string
    tags: Pairs
  }>

export type GroupDocument = HolderDocument

export type RoleDocument = HolderDocument &
  Readonly<{
    trustPolicy: string
    description?: string
    maxSessionSeconds: number
    boundary?: string
    tags: Pairs
  }>

export type AccessKeyDocument = Readonly<{
  user: string
  status: 'Active' | 'Inactive'
  /** Sealed by the vault. */
  secret: string
  name?: string
  description?: string
  expiresAt?: string
  /** Normalised text. */
  policy?: string
  createdAt: string
}>

export type LdapDocument = Readonly<{ policies: readonly string[] }>

export type ProviderDocument = Readonly<{
  url: string
  clientIds: readonly string[]
  thumbprints: readonly string[]
  tags: Pairs
  createdAt: string
}>

type Documents = {
  policy: PolicyDocument
  user: UserDocument
  group: GroupDocument
  role: RoleDocument
  accesskey: AccessKeyDocument
  'ldap-user': LdapDocument
  'ldap-group': LdapDocument
  provider: ProviderDocument
}
export type Kind = keyof Documents

/**
 * 1 knew no groups, roles, boundaries, tags or versions, 2 no keys that end or are narrower than their user. What is
 * written now an older Daypass in the same cluster does not read, and so denies, which is better than to read it without
 * its boundary.
 */
const schema = 3

export const prefix = 'admin/'
const keyOf = (kind: Kind, name: string): string => `${prefix}${kind}/${name}`
export const policyKey = (name: string): string => keyOf('policy', name)
export const userKey = (name: string): string => keyOf('user', name)
export const groupKey = (name: string): string => keyOf('group', name)
export const roleKey = (name: string): string => keyOf('role', name)
export const accessKeyKey = (id: string): string => keyOf('accesskey', id)
/** `name`: the provider's URL without `https://`. */
export const providerKey = (name: string): string => keyOf('provider', name)

/** DNs may hold what keys may not. Behind one stands the directory, where it is said. */
export function ldapKey({ kind, name, directory }: LdapSubject): string {
  const encoded = Buffer.from(name, 'utf8').toString('base64url')
  return keyOf(kind, directory === undefined ? encoded : `${encoded}/${directory}`)
}

/** What stands behind the kind in a key of `ldapKey`. */
export function ldapSubject(kind: LdapSubject['kind'], encoded: string): LdapSubject {
  const [name = '', directory] = encoded.split('/')
  return {
    kind,
    name: Buffer.from(name, 'base64url').toString('utf8'),
    ...(directory !== undefined && { directory }),
  }
}

/** `admin/user/alice` -> `['user', 'alice']` */
export function splitKey(key: string): readonly [kind: string, name: string] {
  const slash = key.indexOf('/', prefix.length)
  return [key.slice(prefix.length, slash), key.slice(slash + 1)]
}

export function write(document: Documents[Kind]): string {
  // Last, since what was read of the first schema may still say so.
  return JSON.stringify({ ...document, schema })
}

/**
 * What `write` wrote. Only this room writes under the prefix, so the schema number says enough about the shape.
 * @throws AdminError `conflict` for a document of a newer version of Daypass, which must not be half understood.
 */
export function read<T extends Kind>(kind: T, value: string): Documents[T] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the schema number
  const stored = JSON.parse(value) as { schema?: unknown }
  if (stored.schema !== 1 && stored.schema !== 2 && stored.schema !== schema) {
    throw new AdminError(
      'conflict',
      'A stored document has a schema that this version does not know',
      { detail: { schema: stored.schema } },
    )
  }
  const whole = stored.schema === 1 ? { ...additions(kind, stored), ...stored } : stored
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema number, and what it lacked is added
  return whole as Documents[T]
}

/** What documents of the first schema did not have yet. */
function additions(kind: Kind, stored: object): object {
  if (kind === 'user') return { inline: [], groups: [], tags: [] }
  if (kind !== 'policy') return {}
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the shape of policies in the first schema
  const { text, updatedAt } = stored as { text: string; updatedAt: string }
  return {
    tags: [],
    versions: [{ id: 'v1', text, createdAt: updatedAt }],
    defaultVersion: 'v1',
    nextVersion: 2,
  }
}
