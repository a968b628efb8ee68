import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ApiRequest, ClusterApi } from '../api.ts'
import { createCertificateApi } from './certificate-api.ts'

const signer = 'kubernetes.io/kubelet-serving'

/** An API server that keeps the one request that is made, changed by somebody on the way. */
function open(change: (spec: Record<string, unknown>) => Record<string, unknown>) {
  const approvals: unknown[] = []
  let kept: Record<string, unknown> = {}
  const api: ClusterApi = {
    server: 'https://10.0.0.1',
    ca: undefined,
    async send(path: string, { method, body }: ApiRequest = {}) {
      if (method === 'POST') kept = JSON.parse(JSON.stringify(body)) as Record<string, unknown>
      if (method === 'PUT' && path.endsWith('/approval')) approvals.push(body)
      const spec = change(kept['spec'] as Record<string, unknown>)
      return { status: 200, text: JSON.stringify({ ...kept, spec }) }
    },
    watch: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  return { api: createCertificateApi(api, 'operator'), approvals }
}

describe('approving a request for a certificate (certificates.k8s.io/v1)', () => {
  const approve = async ({ api }: ReturnType<typeof open>) => {
    await api.createRequest('sts-1', signer, 'ours')
    return api.approveRequest('sts-1', signer, 'ours')
  }

  it('is for the very request that was made', async () => {
    const made = open((spec) => spec)
    assert.equal(await approve(made), true)
    assert.equal(made.approvals.length, 1)
  })

  it('is for none that somebody has put in its place', async () => {
    for (const other of [
      { request: Buffer.from('theirs').toString('base64') },
      { signerName: 'kubernetes.io/kube-apiserver-client' },
      { usages: ['client auth'] },
      { usages: ['digital signature', 'key encipherment', 'server auth', 'client auth'] },
      { usages: undefined },
    ]) {
      const made = open((spec) => ({ ...spec, ...other }))
      await assert.rejects(approve(made), /sts-1 is not as it was made/)
      assert.deepEqual(made.approvals, [])
    }
  })
})
