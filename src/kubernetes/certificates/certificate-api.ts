import { isDeepStrictEqual } from 'node:util'
import { apiError, valueOf, type ClusterApi } from '../api.ts'
import { isObject, objectOf, type JsonObject } from '../resources/object.ts'
import { keyValues, type KeyValues } from '../secrets.ts'

/** A Secret or ConfigMap as it stands. */
export type Stored = Readonly<{
  values: KeyValues
  type: string
  annotations: Readonly<Record<string, unknown>>
  /** For putting it back: only over this very state. */
  raw: JsonObject
}>

export type StoredKind = 'secrets' | 'configmaps'

export type Wanted = Readonly<{
  kind: StoredKind
  name: string
  /** Of a Secret that is made; one that is there keeps its own. */
  type?: string
  /** All of it: what else was there is gone. */
  values: Readonly<Record<string, string>>
  annotations?: Readonly<Record<string, string>>
}>

/** Where a request for a certificate stands with the cluster's signers. */
export type RequestState =
  | Readonly<{ kind: 'pending'; approved: boolean; raw: JsonObject }>
  | Readonly<{ kind: 'issued'; certPem: Buffer }>
  | Readonly<{ kind: 'refused'; reason: string }>

/** What certificates need of a cluster. Every call rejects when there is no answer or one that says no. */
export interface CertificateApi {
  read(kind: StoredKind, name: string): Promise<Stored | undefined>
  /** `false`: somebody else has made or changed it since `over` was read; it stands as they left it. */
  write(wanted: Wanted, over: Stored | undefined): Promise<boolean>
  createRequest(name: string, signerName: string, requestPem: string): Promise<void>
  /**
   * `false`: we may not. Whoever may can still do it. Rejects when what stands there under that name now is not what was
   * asked for: it would be approved for somebody else.
   */
  approveRequest(name: string, signerName: string, requestPem: string): Promise<boolean>
  readRequest(name: string): Promise<RequestState>
  /** Says to the API server whose certificates its webhooks of that configuration have. One that is not there stays so. */
  trustWebhooks(configuration: string, bundlePem: string): Promise<void>
  /** Authorities of the API server, PEM. */
  authorities(): string | undefined
}

const requestsPath = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const webhooksPath = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const approvalTries = 5

export function createCertificateApi(api: ClusterApi, namespace: string): CertificateApi {
  const pathOf = (kind: StoredKind) => `/api/v1/namespaces/${namespace}/${kind}`

  async function demand(path: string, method: 'POST' | 'PUT', body: unknown): Promise<void> {
    const answer = await api.send(path, { method, body })
    if (answer.status >= 300) throw apiError(answer)
  }

  return {
    authorities: () => api.ca,
    async read(kind, name) {
      const value = valueOf(await api.send(`${pathOf(kind)}/${name}`))
      return value === undefined ? undefined : storedOf(value)
    },
    async write(wanted, over) {
      const body = bodyOf(wanted, namespace, over)
      const path = pathOf(wanted.kind)
      const answer = over
        ? await api.send(`${path}/${wanted.name}`, { method: 'PUT', body })
        : await api.send(path, { method: 'POST', body })
      // 409: made or changed in between; 404 for a PUT: gone in between.
      if (answer.status === 409 || (over && answer.status === 404)) return false
      if (answer.status >= 300) throw apiError(answer)
      return true
    },
    createRequest: (name, signerName, requestPem) =>
      demand(requestsPath, 'POST', {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'daypass-operator' } },
        spec: specOf(signerName, requestPem),
      }),
    async approveRequest(name, signerName, requestPem) {
      for (let tries = 0; tries < approvalTries; tries += 1) {
        const request = objectOf(valueOf(await api.send(`${requestsPath}/${name}`)))
        const state = requestState(request)
        if (state.kind !== 'pending' || state.approved) return true
        demandSame(name, objectOf(request['spec']), specOf(signerName, requestPem))
        const body = approvedOf(request)
        const path = `${requestsPath}/${name}/approval`
        const answer = await api.send(path, { method: 'PUT', body })
        if (answer.status === 403) return false
        if (answer.status < 300) return true
        // Somebody else has touched it: look again.
        if (answer.status !== 409) throw apiError(answer)
      }
      return false
    },
    async trustWebhooks(configuration, bundlePem) {
      const path = `${webhooksPath}/${configuration}`
      const present = valueOf(await api.send(path))
      const body = isObject(present) ? trustingOf(present, bundlePem) : undefined
      if (body === undefined) return
      const answer = await api.send(path, { method: 'PUT', body })
      // Changed in between: there is a next time.
      if (answer.status >= 300 && answer.status !== 409) throw apiError(answer)
    },
    async readRequest(name) {
      const request = valueOf(await api.send(`${requestsPath}/${name}`))
      if (request === undefined) return { kind: 'refused', reason: 'the request was removed' }
      return requestState(objectOf(request))
    },
  }
}

function storedOf(value: unknown): Stored {
  const raw = objectOf(value)
  const { type } = raw
  return {
    values: keyValues(value),
    type: typeof type === 'string' ? type : 'Opaque',
    annotations: objectOf(objectOf(raw['metadata'])['annotations']),
    raw,
  }
}

function bodyOf(
  { kind, name, type = 'Opaque', values, annotations }: Wanted,
  namespace: string,
  over: Stored | undefined,
): JsonObject {
  const isSecret = kind === 'secrets'
  const encoded = Object.entries(values).map(([key, text]) => [
    key,
    isSecret ? Buffer.from(text).toString('base64') : text,
  ])
  const labels = { 'app.kubernetes.io/managed-by': 'daypass-operator' }
  const present = over ? objectOf(over.raw['metadata']) : { name, namespace, labels }
  return {
    apiVersion: 'v1',
    kind: isSecret ? 'Secret' : 'ConfigMap',
    // With the resourceVersion that was read: whoever was faster wins.
    metadata: { ...present, annotations: { ...objectOf(present['annotations']), ...annotations } },
    ...(isSecret && { type: over?.type ?? type }),
    data: Object.fromEntries(encoded),
  }
}

function specOf(signerName: string, requestPem: string) {
  return {
    request: Buffer.from(requestPem).toString('base64'),
    signerName,
    usages: ['digital signature', 'key encipherment', 'server auth'],
  }
}

function demandSame(name: string, found: JsonObject, wanted: ReturnType<typeof specOf>): void {
  const { request, signerName, usages } = found
  const isSame =
    request === wanted.request &&
    signerName === wanted.signerName &&
    isDeepStrictEqual(new Set([usages].flat()), new Set(wanted.usages))
  if (isSame) return
  throw new Error(`CertificateSigningRequest ${name} is not as it was made, so it is not approved`)
}

function requestState(raw: JsonObject): RequestState {
  const { certificate, conditions } = objectOf(raw['status'])
  const all: readonly unknown[] = Array.isArray(conditions) ? conditions : []
  const no = all.map(objectOf).find(({ type }) => type === 'Denied' || type === 'Failed')
  if (no) {
    const words = [no['reason'], no['message']].filter((text) => typeof text === 'string')
    return { kind: 'refused', reason: [String(no['type']), ...words].join(': ').slice(0, 500) }
  }
  if (typeof certificate === 'string' && certificate !== '') {
    return { kind: 'issued', certPem: Buffer.from(certificate, 'base64') }
  }
  const approved = all.some((each) => isObject(each) && each['type'] === 'Approved')
  return { kind: 'pending', approved, raw }
}

function approvedOf(request: JsonObject): JsonObject {
  const status = objectOf(request['status'])
  const { conditions } = status
  const approved = {
    type: 'Approved',
    status: 'True',
    reason: 'DaypassAutoApproval',
    message: 'Asked for by the Daypass operator for its own STS',
  }
  const all: readonly unknown[] = Array.isArray(conditions) ? conditions : []
  return { ...request, status: { ...status, conditions: [...all, approved] } }
}

/** `undefined`: it says so already. */
function trustingOf(configuration: JsonObject, bundlePem: string): JsonObject | undefined {
  const caBundle = Buffer.from(bundlePem).toString('base64')
  const { webhooks } = configuration
  const all = (Array.isArray(webhooks) ? webhooks : []).map(objectOf)
  const clients = all.map(({ clientConfig }) => objectOf(clientConfig))
  if (clients.every((client) => client['caBundle'] === caBundle)) return undefined
  const trusting = all.map((webhook, index) => ({
    ...webhook,
    clientConfig: { ...clients[index], caBundle },
  }))
  return { ...configuration, webhooks: trusting }
}
