import { AdminError } from './admin-error.ts'

/** The stored documents: small JSON with a schema number (DESIGN section 6). Instants are ISO 8601 texts. */
export type PolicyDocument = Readonly<{ text: string; createdAt: string; updatedAt: string }>
export type UserDocument = Readonly<{
  status: 'enabled' | 'disabled'
  policies: readonly string[]
  /** Ids of its keys: whoever changes them writes the user too, so that no key outlives its user. */
  accessKeys: readonly string[]
  createdAt: string
}>
export type AccessKeyDocument = Readonly<{
  user: string
  status: 'Active' | 'Inactive'
  /** Sealed by the vault. */
  secret: string
  createdAt: string
}>

type Documents = { policy: PolicyDocument; user: UserDocument; accesskey: AccessKeyDocument }

const schema = 1

export const prefix = 'admin/'
export const policyKey = (name: string): string => `${prefix}policy/${name}`
export const userKey = (name: string): string => `${prefix}user/${name}`
export const accessKeyKey = (id: string): string => `${prefix}accesskey/${id}`

/** `admin/user/alice` -> `['user', 'alice']` */
export function splitKey(key: string): readonly [kind: string, name: string] {
  const slash = key.indexOf('/', prefix.length)
  return [key.slice(prefix.length, slash), key.slice(slash + 1)]
}

export function write(document: PolicyDocument | UserDocument | AccessKeyDocument): string {
  return JSON.stringify({ schema, ...document })
}

/**
 * What `write` wrote. Only this room writes under the prefix, so the schema number says enough about the shape.
 * @throws AdminError `conflict` for a document of a newer version of Daypass, which must not be half understood.
 */
export function read<T extends keyof Documents>(_kind: T, value: string): Documents[T] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked by the schema number
  const document = JSON.parse(value) as Documents[T] & { schema?: unknown }
  if (document.schema !== schema) {
    throw new AdminError(
      'conflict',
      'A stored document has a schema that this version does not know',
      {
        detail: { schema: document.schema },
      },
    )
  }
  return document
}
