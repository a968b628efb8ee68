import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import { endSessions, type AdminTarget, type SessionsEnd } from './end-sessions.ts'
import { TargetFailure } from './target-failure.ts'
import { startTenant } from './testing/script-tenant.ts'

const ground = { clock: () => new Date('2026-03-04T05:06:07.890Z') }
const secret = 'a secret of the tests'
const issuedBefore = new Date('2026-03-04T05:06:08.123Z')

const target = (endpoint: string, more: Partial<AdminTarget> = {}): AdminTarget => ({
  tenant: 'store/main',
  endpoint,
  region: 'eu-central-1',
  ca: () => Promise.resolve(undefined),
  credentials: () => Promise.resolve({ accessKeyId: 'admin', secretAccessKey: new Secret(secret) }),
  ...more,
})
const everybody: SessionsEnd = { whose: { kind: 'everybody' }, issuedBefore, reason: 'gone' }

describe('asking a tenant to end sessions', () => {
  it('names the tenant, whose they are and until when, signed for its IAM API', async (t) => {
    const tenant = await startTenant(t, () => ({ status: 200, body: '<x/>' }))
    const id = 'daypass.dev/Binding/store/a'
    const account = { kind: 'account', provider: 'local', subject: 's' } as const
    const reason = 'r'.repeat(500)
    await endSessions(
      target(tenant.endpoint),
      { ...everybody, whose: { kind: 'binding', id } },
      ground,
    )
    await endSessions(target(tenant.endpoint), { ...everybody, whose: account, reason }, ground)
    await endSessions(target(tenant.endpoint), everybody, ground)
    const head = { Action: 'RevokeTenantSessions', Version: '2010-05-08', Tenant: 'store/main' }
    const tail = { IssuedBefore: '2026-03-04T05:06:08.123Z', Reason: 'gone' }
    assert.deepEqual(
      tenant.seen.map(({ form }) => Object.fromEntries(form)),
      [
        { ...head, Binding: id, ...tail },
        { ...head, Provider: 'local', Subject: 's', ...tail, Reason: 'r'.repeat(256) },
        { ...head, ...tail },
      ],
    )
    const { method, headers } = tenant.seen[0] ?? assert.fail()
    assert.equal(method, 'POST')
    const scope = 'Credential=admin/20260304/eu-central-1/iam/aws4_request'
    assert.ok(headers.authorization?.includes(scope))
    assert.ok(!JSON.stringify(tenant.seen).includes(secret))
  })

  for (const [title, status, kind] of [
    ['a refusal', 403, 'target_refused'],
    ['a server that does not know the action', 400, 'target_refused'],
    ['a server in trouble', 503, 'target_unavailable'],
    ['another success', 204, 'target_refused'],
    ['a redirect', 307, 'target_refused'],
  ] as const) {
    it(`takes ${title} for no answer`, async (t) => {
      const tenant = await startTenant(t, () => ({ status, body: '', headers: { location: '/x' } }))
      await assert.rejects(
        endSessions(target(tenant.endpoint), everybody, ground),
        (error: unknown) => error instanceof TargetFailure && error.kind === kind,
      )
      assert.equal(tenant.seen.length, 1)
    })
  }

  it('sends nothing in plain text beyond loopback, unless that is allowed', async () => {
    await assert.rejects(
      endSessions(target('http://store.invalid:9000'), everybody, ground),
      /https/,
    )
  })

  it('sends nothing without credentials, or when nobody answers', async (t) => {
    const tenant = await startTenant(t, () => ({ status: 200, body: '' }))
    const credentials = () => Promise.reject(new Error('there is no Secret admin'))
    await assert.rejects(
      endSessions(target(tenant.endpoint, { credentials }), everybody, ground),
      /no Secret admin/,
    )
    assert.equal(tenant.seen.length, 0)
    await assert.rejects(
      endSessions(target('http://127.0.0.1:1'), everybody, ground),
      TargetFailure,
    )
  })
})
