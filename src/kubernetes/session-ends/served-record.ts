import { z } from 'zod'
import { apiError, valueOf, type ClusterApi } from '../api.ts'
import { objectOf, type JsonObject } from '../resources/object.ts'

const text = z.string()
const bounds = z.strictObject({
  /** A hash of the document. */
  ceiling: text.optional(),
  maxSessionSeconds: z.int(),
})
const served = z.strictObject({
  schema: z.literal(1),
  uid: text,
  generation: z.int(),
  admin: z.strictObject({
    endpoint: text,
    region: text.optional(),
    ca: z
      .strictObject({ kind: z.enum(['secrets', 'configmaps']), name: text, key: text })
      .optional(),
    credentialsSecret: text,
    insecureHttp: z.boolean(),
  }),
  bounds,
  /** Stamps by the binding's id. */
  bindings: z.record(text, text),
})

export type Bounds = z.infer<typeof bounds>
/** What a tenant's live sessions may have come from. Holds no secret, only names of Secrets. */
export type Served = z.infer<typeof served>

export type ServedRecord = Readonly<{
  /** Absent: it does not exist yet. */
  revision: string | undefined
  /** By `NAMESPACE/NAME` of the tenant. */
  tenants: ReadonlyMap<string, Served>
}>

/** The ConfigMap beside the operator. */
const recordName = 'daypass-operator-served'
/** A ConfigMap holds 1 MiB. */
const mostBytes = 1_000_000

const pathOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`

/**
 * What was being served when somebody last looked, so that whoever looks next sees what has gone in between.
 * @throws when it cannot be read or understood: then nobody may take it for empty
 */
export async function loadRecord(api: ClusterApi, namespace: string): Promise<ServedRecord> {
  const value = valueOf(await api.send(`${pathOf(namespace)}/${recordName}`))
  if (value === undefined) return { revision: undefined, tenants: new Map() }
  const { metadata, data } = objectOf(value)
  const { resourceVersion } = objectOf(metadata)
  if (typeof resourceVersion !== 'string') throw new TypeError('the ConfigMap has no revision')
  const tenants = Object.entries(objectOf(data)).map(
    ([key, line]) => [nameOf(key), read(key, line)] as const,
  )
  return { revision: resourceVersion, tenants: new Map(tenants) }
}

/** `NAMESPACE.NAME`: neither of the two holds a dot. */
function nameOf(key: string): string {
  return key.replace('.', '/')
}

function read(key: string, line: unknown): Served {
  try {
    return served.parse(JSON.parse(String(line)))
  } catch (cause) {
    throw new Error(
      `ConfigMap ${recordName}: ${key} cannot be understood; delete this key when no other version of the operator needs it`,
      { cause },
    )
  }
}

/** Gives the new revision; `undefined` when somebody else has written in between. */
export async function saveRecord(
  api: ClusterApi,
  namespace: string,
  { revision, tenants }: ServedRecord,
): Promise<string | undefined> {
  const lines = [...tenants].map(
    ([name, one]) => [name.replace('/', '.'), JSON.stringify(one)] as const,
  )
  const size = lines.reduce((sum, [, line]) => sum + Buffer.byteLength(line), 0)
  if (size > mostBytes) {
    throw new RangeError(
      `bindings of gateway tenants are too many for ConfigMap ${recordName}: what is deleted while no operator runs is not noticed`,
    )
  }
  const body = bodyOf(
    { name: recordName, namespace, resourceVersion: revision },
    Object.fromEntries(lines),
  )
  const answer = await (revision === undefined
    ? api.send(pathOf(namespace), { method: 'POST', body })
    : api.send(`${pathOf(namespace)}/${recordName}`, { method: 'PUT', body }))
  // 404: it was deleted in between.
  if (answer.status === 409 || (answer.status === 404 && revision !== undefined)) return undefined
  if (answer.status >= 300) throw apiError(answer)
  const { resourceVersion } = objectOf(objectOf(JSON.parse(answer.text))['metadata'])
  return typeof resourceVersion === 'string' ? resourceVersion : undefined
}

function bodyOf(metadata: JsonObject, data: JsonObject): JsonObject {
  const labels = { 'app.kubernetes.io/managed-by': 'daypass-operator' }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, labels }, data }
}
