import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { assert as check, asyncProperty, constantFrom, jsonValue, oneof, record } from 'fast-check'
import { Secret } from '../../secret.ts'
import { createFetchText, createCustomTokenVerifier, type IdentityError } from '../index.ts'
import type { CustomTokenSettings } from './settings.ts'

type Answer = Readonly<{ status?: number; body?: unknown; headers?: Record<string, string> }>
type Seen = Readonly<{
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}>

const now = new Date('2026-03-01T12:00:00Z')
const secretToken = 'tok/en+ü&%'
const good = { user: 'alice', maxValiditySeconds: 3600, claims: { team: 'sales' } }

/** A plugin that answers as it is told, and remembers what it was asked. */
class FakePlugin {
  readonly seen: Seen[] = []
  readonly server: Server
  next: Answer | ((reply: ServerResponse) => void) = { body: good }
  url = ''

  constructor(tls?: Readonly<{ key: Buffer; cert: Buffer }>) {
    const answer = (request: IncomingMessage, reply: ServerResponse) =>
      void this.#answer(request, reply)
    this.server = tls ? createTlsServer(tls, answer) : createServer(answer)
  }

  async start(scheme: 'http' | 'https' = 'http'): Promise<void> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    const address = this.server.address()
    assert.ok(address !== null && typeof address === 'object')
    this.url = `${scheme}://127.0.0.1:${address.port}/auth?tenant=a%20b`
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
    const { method = '', url = '', headers } = request
    this.seen.push({ method, url, headers, body })
    if (typeof this.next === 'function') return this.next(reply)
    const { status = 200, body: answer, headers: sent = {} } = this.next
    reply.writeHead(status, sent)
    reply.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
  }
}

describe('a token of the identity plugin (MinIO, identity management plugin)', () => {
  const plugin = new FakePlugin()
  before(() => plugin.start())
  after(() => {
    plugin.server.close()
  })

  const make = (settings: Partial<CustomTokenSettings> = {}) =>
    createCustomTokenVerifier({
      url: plugin.url,
      rolePolicy: ['readonly'],
      clock: () => now,
      timeoutMs: 500,
      ...settings,
    })
  type Made = ReturnType<typeof make>
  const ask = (verifier: Made, token = secretToken, roleArn = verifier.roleArn) =>
    verifier.verify({ kind: 'custom-token', token: new Secret(token), roleArn }, now)
  const askFor = (answer: Answer | ((reply: ServerResponse) => void), verifier = make()) => {
    plugin.next = answer
    return ask(verifier)
  }

  it('proves the user whom the plugin names, for as long as it says', async () => {
    const verifier = make({ name: 'badge' })
    assert.deepEqual(await askFor({ body: good }, verifier), {
      kind: 'custom-token',
      provider: 'badge',
      issuer: verifier.roleArn,
      subject: 'alice',
      displayName: 'alice',
      groups: [],
      claims: new Map([['team', 'sales']]),
      expiresAt: new Date('2026-03-01T13:00:00Z'),
    })
  })

  it('is sent as MinIO sends it: POST, in the query beside what is there, no body', async () => {
    plugin.next = { body: good }
    await ask(make({ authToken: new Secret('Bearer s3cr3t') }))
    const { method, url, headers, body } = plugin.seen.at(-1) ?? assert.fail()
    assert.equal(method, 'POST')
    assert.equal(body, '')
    assert.equal(headers.authorization, 'Bearer s3cr3t')
    const query = new URL(url, 'http://h').searchParams
    assert.deepEqual(
      [...query],
      [
        ['tenant', 'a b'],
        ['token', secretToken],
      ],
    )
  })

  it('replaces a token that stands in the configured query', async () => {
    plugin.next = { body: good }
    await ask(make({ url: `${plugin.url}&token=x&token=y` }))
    const query = new URL(plugin.seen.at(-1)?.url ?? '', 'http://h').searchParams
    assert.deepEqual(query.getAll('token'), [secretToken])
  })

  it('travels in a form where the configuration says so, and not in the URL', async () => {
    plugin.next = { body: good }
    await ask(make({ tokenIn: 'body' }))
    const { url, headers, body } = plugin.seen.at(-1) ?? assert.fail()
    assert.equal(url, '/auth?tenant=a%20b')
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded')
    assert.equal(new URLSearchParams(body).get('token'), secretToken)
  })

  it('cannot set what says something of the session', async () => {
    const claims = {
      Exp: 1,
      sub: 'root',
      parent: 'root',
      roleArn: 'x',
      RoleARN: 'x',
      sessionPolicy: '',
      'sa-policy': 'inherited-policy',
      accessKey: 'AKIA',
      ldapUser: 'cn=x',
      groups: ['admins'],
    }
    const principal = await askFor({ body: { ...good, claims } })
    assert.deepEqual([...(principal?.claims.keys() ?? [])], ['groups'])
    assert.deepEqual(principal?.groups, [])
  })

  it('may come without claims', async () => {
    for (const claims of [undefined, null]) {
      assert.equal((await askFor({ body: { ...good, claims } }))?.claims.size, 0)
    }
  })

  it('lives 900 s to 365 d and nothing else', async () => {
    for (const maxValiditySeconds of [900, 31_536_000]) {
      const principal = await askFor({ body: { ...good, maxValiditySeconds } })
      assert.equal(principal?.expiresAt?.getTime(), now.getTime() + maxValiditySeconds * 1000)
    }
    for (const maxValiditySeconds of [899, 0, -900, 31_536_001]) {
      await assert.rejects(askFor({ body: { ...good, maxValiditySeconds } }), {
        code: 'custom_token_refused',
      })
    }
  })

  it('is refused with the reason of the plugin', async () => {
    await assert.rejects(askFor({ status: 403, body: { reason: 'badge is blocked' } }), {
      code: 'custom_token_refused',
      message: 'The identity plugin does not take the token: badge is blocked',
    })
  })

  it('is refused with a reason on one line, of bounded length, without the token', async () => {
    const reason = `a\r\n\u0000b\u202e ${secretToken} ${encodeURIComponent(secretToken)} ${'x'.repeat(500)}`
    await assert.rejects(askFor({ status: 403, body: { reason } }), (error: IdentityError) => {
      const said = error.message.slice('The identity plugin does not take the token: '.length)
      assert.ok(said.startsWith('a b [secret] [secret] xxx'), said)
      assert.ok(said.length <= 201)
      return true
    })
  })

  it('shows in no reason, nor does our own key, however the plugin spells what it was sent', async () => {
    const token = "it's a ~token*"
    const authToken = new Secret('Bearer s3cr3t')
    const form = new URLSearchParams({ token }).toString()
    plugin.next = { status: 403, body: { reason: `I saw ${form} by ${authToken.reveal()}` } }
    for (const tokenIn of ['query', 'body'] as const) {
      await assert.rejects(ask(make({ tokenIn, authToken }), token), {
        message: 'The identity plugin does not take the token: I saw token=[secret] by [secret]',
      })
    }
  })

  it('is refused by a 403, whatever comes with it', async () => {
    for (const body of ['', 'no', '[]', { reason: 5 }, { reason: '' }]) {
      await assert.rejects(askFor({ status: 403, body }), {
        code: 'custom_token_refused',
        message: 'The identity plugin does not take the token',
      })
    }
  })

  it('is nobody’s without a user', async () => {
    for (const user of ['', undefined]) {
      await assert.rejects(askFor({ body: { ...good, user } }), { code: 'custom_token_refused' })
    }
  })

  const badAnswers = new Map<string, Answer | ((reply: ServerResponse) => void)>([
    ['status 500', { status: 500, body: good }],
    ['status 401', { status: 401, body: { reason: 'who are you' } }],
    ['status 404', { status: 404, body: good }],
    ['status 201', { status: 201, body: good }],
    ['a redirect', { status: 302, headers: { location: '/auth' }, body: good }],
    ['no JSON', { body: '<html>' }],
    ['nothing', { body: '' }],
    ['a list', { body: [good] }],
    ['a member that stands twice', { body: '{"user":"a","user":"b","maxValiditySeconds":900}' }],
    ['a user that is no text', { body: { ...good, user: 5 } }],
    ['a user with a line break', { body: { ...good, user: 'a\nb' } }],
    ['a user of a megabyte', { body: { ...good, user: 'a'.repeat(50_000) } }],
    ['no validity', { body: { user: 'alice' } }],
    ['validity as text', { body: { ...good, maxValiditySeconds: '3600' } }],
    ['validity with a fraction', { body: { ...good, maxValiditySeconds: 3600.5 } }],
    ['validity beyond numbers', { body: '{"user":"a","maxValiditySeconds":1e400}' }],
    ['claims that are a list', { body: { ...good, claims: [] } }],
    ['claims that are text', { body: { ...good, claims: 'x' } }],
    ['too much', { body: JSON.stringify({ ...good, more: 'x'.repeat(70_000) }) }],
    ['silence', () => undefined],
    ['an answer that does not end', (reply) => void reply.write('{"user":')],
    ['a cut connection', (reply) => void reply.destroy()],
  ])
  for (const [what, answer] of badAnswers) {
    it(`proves nothing, and may be tried again, when the plugin answers ${what}`, async () => {
      const began = performance.now()
      await assert.rejects(askFor(answer), (error: IdentityError) => {
        assert.equal(error.code, 'provider_unavailable')
        assert.equal(error.detail['provider'], 'custom')
        return true
      })
      assert.ok(performance.now() - began < 4000)
    })
  }

  it('shows in no error, though it was in the URL', async () => {
    const failing = make({ url: 'http://127.0.0.1:1/' })
    const leaky = createCustomTokenVerifier({
      url: plugin.url,
      rolePolicy: ['readonly'],
      clock: () => now,
      fetch: (url) => Promise.reject(new Error(`cannot reach ${url}`)),
    })
    for (const verifier of [failing, leaky]) {
      await assert.rejects(ask(verifier, 'hunter2'), (error: IdentityError) => {
        assert.equal(error.code, 'provider_unavailable')
        assert.ok(!inspect(error, { depth: 9 }).includes('hunter2'))
        return true
      })
      assert.ok(!JSON.stringify(verifier.status()).includes('hunter2'))
    }
  })

  it('is not sent when it is empty, huge or no sound text', async () => {
    const verifier = make()
    const before = plugin.seen.length
    for (const token of ['', 'x'.repeat(16_385), '\ud800']) {
      await assert.rejects(ask(verifier, token), { code: 'custom_token_refused' })
    }
    assert.equal(plugin.seen.length, before)
  })

  it('is another’s to judge under another role ARN, or when it is of another kind', async () => {
    const verifier = make()
    const before = plugin.seen.length
    for (const roleArn of ['', `${verifier.roleArn}x`, verifier.roleArn.toUpperCase()]) {
      assert.equal(await ask(verifier, secretToken, roleArn), undefined)
    }
    const token = new Secret('a.b.c')
    assert.equal(await verifier.verify({ kind: 'web-identity', token }, now), undefined)
    assert.equal(plugin.seen.length, before)
  })

  it('waits for a plugin that hangs, but not in any number', async () => {
    const waiting = Promise.withResolvers<never>()
    const verifier = createCustomTokenVerifier({
      url: plugin.url,
      rolePolicy: ['readonly'],
      clock: () => now,
      fetch: () => waiting.promise,
    })
    const asked = Array.from({ length: 257 }, () => ask(verifier).catch((error: unknown) => error))
    const last = (await asked.at(-1)) as IdentityError
    assert.equal(last.code, 'provider_unavailable')
    assert.match(String(last.detail['reason']), /too many/)
    waiting.reject(new Error('gone'))
    await Promise.all(asked)
    assert.equal(verifier.status().failures, 256)
  })

  it('leaves its mark in the status', async () => {
    const verifier = make()
    await askFor({ body: good }, verifier)
    await assert.rejects(askFor({ status: 500 }, verifier))
    assert.deepEqual(verifier.status(), {
      provider: 'custom',
      roleArn: verifier.roleArn,
      requests: 2,
      failures: 1,
      error: 'status 500',
      lastSuccessAt: now,
      lastFailureAt: now,
    })
    await assert.rejects(askFor({ status: 403 }, verifier), { code: 'custom_token_refused' })
    assert.equal(verifier.status().error, undefined)
    assert.equal(verifier.status().failures, 1)
  })

  it('tells once when the plugin stops to answer, and when it does again', async () => {
    const told: unknown[] = []
    const verifier = createCustomTokenVerifier({
      url: plugin.url,
      rolePolicy: ['readonly'],
      clock: () => now,
      log: (event) => told.push(event),
    })
    for (const status of [200, 500, 500, 403, 200]) {
      await askFor({ status, body: good }, verifier).catch(() => undefined)
    }
    const provider = 'custom'
    assert.deepEqual(told, [
      { kind: 'plugin_unavailable', provider, detail: 'status 500' },
      { kind: 'plugin_available', provider, detail: 'it answers' },
    ])
  })

  it('meets a documented error or a principal, whatever JSON the plugin answers', async () => {
    const member = oneof(jsonValue(), constantFrom(900, 3600, 'alice', '', {}))
    const answers = record(
      { user: member, maxValiditySeconds: member, claims: member },
      { requiredKeys: [] },
    )
    await check(
      asyncProperty(oneof(answers, jsonValue()), async (answer) => {
        const verifier = createCustomTokenVerifier({
          url: 'https://plugin.example/',
          rolePolicy: ['readonly'],
          clock: () => now,
          fetch: async () => ({ status: 200, headers: {}, body: JSON.stringify(answer) }),
        })
        try {
          const principal = await ask(verifier)
          assert.ok(principal !== undefined && principal.subject !== '')
          const lifeMs = (principal.expiresAt?.getTime() ?? 0) - now.getTime()
          assert.ok(lifeMs >= 900_000 && lifeMs <= 31_536_000_000)
        } catch (error) {
          const { code } = error as IdentityError
          assert.ok(
            code === 'custom_token_refused' || code === 'provider_unavailable',
            String(error),
          )
        }
      }),
    )
  })

  it('settings that make no sense stop the start', () => {
    const wrong: readonly Partial<CustomTokenSettings>[] = [
      { url: '' },
      { url: 'http://plugin.example/' },
      { url: 'ftp://127.0.0.1/' },
      { url: 'https://user:pass@plugin.example/' },
      { rolePolicy: [] },
      { rolePolicy: [''] },
      { roleId: '' },
      { roleId: 'a/b' },
      { roleId: 'a\n' },
      { name: '' },
      { name: 'internal' },
      { timeoutMs: 0 },
      { timeoutMs: Number.NaN },
      { timeoutMs: 60_000 },
      { authToken: new Secret('') },
      { authToken: new Secret('a\r\nx-b: c') },
    ]
    for (const settings of wrong) assert.throws(() => make(settings), TypeError, inspect(settings))
    make({ url: 'http://plugin.example/', insecureHttp: true })
  })
})

describe('the role ARN of an identity plugin (MinIO)', () => {
  const arn = (settings: Partial<CustomTokenSettings>) =>
    createCustomTokenVerifier({
      url: 'http://localhost:8081',
      rolePolicy: ['readonly'],
      clock: () => now,
      ...settings,
    }).roleArn

  it('is that of MinIO for the same URL', () => {
    assert.equal(arn({}), 'arn:minio:iam:::role/idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ')
  })

  it('carries the role id and the region when there are any', () => {
    assert.equal(arn({ roleId: 'my_Role-1' }), 'arn:minio:iam:::role/idmp-my_Role-1')
    assert.equal(
      arn({ region: 'eu-west-1' }),
      'arn:minio:iam:eu-west-1::role/idmp-vGxBdLkOc8mQPU1-UQbBh-yWWVQ',
    )
  })
})

describe('a plugin behind TLS with a private CA', { skip: withoutOpenssl() }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'daypass-plugin-'))
  const file = (name: string) => join(directory, name)
  let plugin: FakePlugin
  before(async () => {
    for (const name of ['ours', 'other']) {
      const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
      const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
      openssl('req', '-x509', ...key, ...subject, ...out)
    }
    plugin = new FakePlugin({
      key: readFileSync(file('ours.key')),
      cert: readFileSync(file('ours.pem')),
    })
    await plugin.start('https')
  })
  after(() => {
    plugin.server.close()
    rmSync(directory, { recursive: true })
  })
  const ask = (caFile?: string) => {
    const verifier = createCustomTokenVerifier({
      url: plugin.url,
      rolePolicy: ['readonly'],
      caFile,
      clock: () => now,
      fetch: createFetchText(),
    })
    const token = new Secret(secretToken)
    return verifier.verify({ kind: 'custom-token', token, roleArn: verifier.roleArn }, now)
  }

  it('is asked when the file names its authority', async () => {
    assert.equal((await ask(file('ours.pem')))?.subject, 'alice')
  })

  it('is not told the token when the file names another one, or none is named', async () => {
    const before = plugin.seen.length
    for (const caFile of [file('other.pem'), file('absent.pem'), undefined]) {
      await assert.rejects(ask(caFile), { code: 'provider_unavailable' })
    }
    assert.equal(plugin.seen.length, before)
  })
})

function openssl(...words: readonly string[]): void {
  const command = 'openssl'
  execFileSync(command, words, { stdio: 'ignore' })
}

function withoutOpenssl(): string | false {
  try {
    openssl('version')
    return false
  } catch {
    return 'the openssl command is not installed: no certificate to test with'
  }
}
