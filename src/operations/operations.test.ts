import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { createMetrics, createOperationsFace } from './index.ts'

function face(ready = true) {
  const metrics = createMetrics({
    signingKeys: () => [{ status: 'active' }, { status: 'retiring' }, { status: 'retiring' }],
    revocations: () => 3,
    revocationsFresh: () => ready,
    providers: () => [{ provider: 'people', ready }],
    registeredProviders: () => 2,
  })
  const handle = createOperationsFace({
    metrics,
    readiness: () => ({ ready, reasons: ready ? [] : ['the store does not answer'] }),
  })
  const get = (path: string, method = 'GET') =>
    handle({
      id: '0',
      method,
      path,
      query: '',
      headers: [],
      body: (async function* () {})(),
      source: '127.0.0.1',
      secure: false,
      receivedAt: new Date(),
      proceed: () => undefined,
    } satisfies HttpRequest)
  return { metrics, get }
}

function textOf({ body }: HttpResponse): string {
  assert.ok(typeof body === 'string')
  return body
}

describe('the operations face', () => {
  it("tells live and ready apart, on our paths and on MinIO's", async () => {
    const { get } = face(false)
    for (const path of ['/live', '/minio/health/live']) assert.equal((await get(path)).status, 200)
    for (const path of ['/ready', '/minio/health/ready']) {
      const answer = await get(path)
      assert.equal(answer.status, 503)
      assert.match(textOf(answer), /the store does not answer/)
    }
    assert.equal((await face().get('/ready')).status, 200)
  })

  it('refuses other paths and methods', async () => {
    const { get } = face()
    assert.equal((await get('/')).status, 404)
    assert.equal((await get('/metrics', 'POST')).status, 405)
  })

  it('counts what it is told, by closed labels', async () => {
    const { metrics, get } = face()
    metrics.exchange('sts:AssumeRole', 'issued', 0.002)
    metrics.request('s3', 'GetObject', 200, 0.001)
    metrics.denial('session')
    metrics.fault()
    const text = textOf(await get('/metrics'))
    for (const line of [
      'daypass_exchanges_total{action="sts:AssumeRole",outcome="issued"} 1',
      'daypass_exchange_duration_seconds_count{action="sts:AssumeRole"} 1',
      'daypass_requests_total{face="s3",operation="GetObject",status="200"} 1',
      'daypass_policy_denials_total{principal="session"} 1',
      'daypass_faults_total 1',
      'daypass_signing_keys{status="next"} 0',
      'daypass_signing_keys{status="active"} 1',
      'daypass_signing_keys{status="retiring"} 2',
      'daypass_revocations 3',
      'daypass_provider_ready{provider="people"} 1',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} is missing`)
    }
  })

  it('shows now what is now, not what was', async () => {
    let providers = ['a', 'b']
    const metrics = createMetrics({
      signingKeys: () => [],
      revocations: () => 0,
      revocationsFresh: () => true,
      providers: () => providers.map((provider) => ({ provider, ready: true })),
      registeredProviders: () => 0,
    })
    await metrics.render()
    providers = ['a']
    assert.ok(!(await metrics.render()).text.includes('provider="b"'))
  })
})
