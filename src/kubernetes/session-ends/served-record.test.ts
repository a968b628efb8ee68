import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ApiRequest, ClusterApi } from '../api.ts'
import { loadRecord, saveRecord, type Served } from './served-record.ts'

const path = '/api/v1/namespaces/ours/configmaps'
const one: Served = {
  schema: 1,
  uid: 'u',
  generation: 3,
  admin: { endpoint: 'https://store:9000', credentialsSecret: 'admin', insecureHttp: false },
  bounds: { maxSessionSeconds: 900 },
  bindings: { 'daypass.dev/Binding/store/a': 'u.1' },
}

type Sent = Readonly<{ method: string; path: string; body: unknown }>

/** Answers with one status and text, whatever it is asked. */
function answering(status: number, body: unknown): ClusterApi & { sent: Sent[] } {
  const sent: Sent[] = []
  return {
    sent,
    server: 'https://none',
    ca: undefined,
    send(asked: string, { method = 'GET', body: given }: ApiRequest = {}) {
      sent.push({ method, path: asked, body: given })
      return Promise.resolve({ status, text: JSON.stringify(body) })
    },
    watch: () => Promise.reject(new Error('nobody watches')),
    close: () => Promise.resolve(),
  }
}

const written = (data: Readonly<Record<string, string>>) => ({
  metadata: { resourceVersion: '7' },
  data,
})

describe('the record of what was served', () => {
  it('comes back as it was written', async () => {
    const api = answering(200, written({}))
    const tenants = new Map([['store/main', one]])
    assert.equal(await saveRecord(api, 'ours', { revision: '6', tenants }), '7')
    const [{ method, path: asked, body } = assert.fail()] = api.sent
    assert.deepEqual([method, asked], ['PUT', `${path}/daypass-operator-served`])
    const { data, metadata } = body as ReturnType<typeof written>
    assert.equal(metadata.resourceVersion, '6', 'what somebody else wrote is not overwritten')
    assert.deepEqual(await loadRecord(answering(200, written(data)), 'ours'), {
      revision: '7',
      tenants,
    })
  })

  it('is empty where there is none, and is made then', async () => {
    const missing = answering(404, {})
    assert.equal((await loadRecord(missing, 'ours')).revision, undefined)
    const api = answering(201, written({}))
    await saveRecord(api, 'ours', { revision: undefined, tenants: new Map() })
    assert.deepEqual([api.sent[0]?.method, api.sent[0]?.path], ['POST', path])
  })

  it('is not taken for empty when it cannot be read or understood', async () => {
    for (const [status, body] of [
      [403, {}],
      [503, {}],
      [200, { metadata: {}, data: {} }],
      [200, written({ 'store.main': 'no JSON' })],
      [200, written({ 'store.main': JSON.stringify({ ...one, schema: 2 }) })],
      [200, written({ 'store.main': JSON.stringify({ ...one, admin: {} }) })],
    ] as const) {
      await assert.rejects(loadRecord(answering(status, body), 'ours'))
    }
  })

  it('is read anew when somebody else has written it, and says so', async () => {
    const record = { revision: '6', tenants: new Map() }
    for (const status of [409, 404])
      assert.equal(await saveRecord(answering(status, {}), 'ours', record), undefined)
    await assert.rejects(saveRecord(answering(403, { reason: 'Forbidden' }), 'ours', record))
    // The namespace itself is missing.
    await assert.rejects(saveRecord(answering(404, {}), 'ours', { ...record, revision: undefined }))
  })

  it('is refused when it is more than a ConfigMap holds', async () => {
    const names = Array.from({ length: 40_000 }, (_, count) => [
      `daypass.dev/Binding/store/b${count}`,
      'u.1',
    ])
    const tenants = new Map([['store/main', { ...one, bindings: Object.fromEntries(names) }]])
    const api = answering(200, written({}))
    await assert.rejects(saveRecord(api, 'ours', { revision: '1', tenants }), RangeError)
    assert.deepEqual(api.sent, [])
  })
})
