import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { failure, fakeServer, keysFor, runCli, success } from './testing/fake-server.ts'

const secret = 'a secret of the tests'

function temporary(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-cli-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

describe('wrong usage (exit code 2)', () => {
  for (const args of [
    ['admin', 'frob'],
    ['admin', 'user', 'add'],
    ['admin', 'user', 'ls', '--frob'],
    ['admin', 'user', 'ls', 'too', 'many', 'arguments'],
    ['admin', 'sessions', 'revoke'],
    ['admin', 'sessions', 'revoke', '--user', 'a', '--session', 'b'],
    ['admin', 'sessions', 'revoke', '--binding', 'a', '--cluster', 'b'],
    ['admin', 'sessions', 'revoke', '--principal', 'half'],
    ['admin', 'sessions', 'revoke', '--principal', 'a', 'b', 'c'],
    ['admin', 'accesskey', 'add', 'ann', '--access-key-id', 'only-half'],
    ['admin', 'policy', 'put', 'p', '/nowhere/policy.json'],
    ['explain', 'nothing like a message'],
    ['lint', '/nowhere/policy.json'],
    ['server'],
  ]) {
    it(`refuses: ${args.join(' ')}`, async (t) => {
      const { url, asked } = await fakeServer(t, () => success('Never', {}))
      const { code, out, error } = await runCli(args, { env: keysFor(url) })
      assert.equal(code, 2, error)
      assert.equal(out, '')
      assert.notEqual(error, '')
      assert.equal(asked.length, 0)
    })
  }

  for (const endpoint of [
    'ftp://x',
    'localhost:9000',
    'http://x/path',
    'http://me@x',
    'http://x?y',
  ]) {
    it(`refuses the endpoint ${endpoint}`, async () => {
      const { code, error } = await runCli(['admin', 'user', 'ls'], { env: keysFor(endpoint) })
      assert.equal(code, 2)
      assert.match(error, /endpoint/)
    })
  }
})

describe('a server that asks for patience', () => {
  it('gets it, and the command its answer', async (t) => {
    const { url, asked } = await fakeServer(t, () =>
      asked.length === 1
        ? {
            status: 429,
            type: 'text/xml',
            body: '<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>',
          }
        : success('ListUsers', { Users: [] }),
    )
    const { code, error } = await runCli(['admin', 'user', 'ls'], { env: keysFor(url) })
    assert.equal(code, 0, error)
    assert.equal(asked.length, 2)
  })
})

describe('the keys that sign', () => {
  const signer = async (
    t: TestContext,
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
  ): Promise<string> => {
    const { url, asked } = await fakeServer(t, () => success('ListUsers', { Users: [] }))
    const { error } = await runCli(['admin', 'user', 'ls', '--endpoint', url, ...args], { env })
    return /Credential=([^/]+)/.exec(asked[0]?.headers.authorization ?? '')?.[1] ?? error
  }
  const own = { DAYPASS_ACCESS_KEY: 'own', DAYPASS_SECRET_KEY: secret }
  const aws = { AWS_ACCESS_KEY_ID: 'aws', AWS_SECRET_ACCESS_KEY: secret }

  it('are those of the directory that is named, then ours, then DAYPASS_DIR, then those of AWS', async (t) => {
    const dir = temporary(t)
    const root = JSON.stringify({ accessKeyId: 'root', secretAccessKey: secret })
    writeFileSync(join(dir, 'root-credentials.json'), root)
    assert.equal(await signer(t, { ...own, ...aws }, ['--dir', dir]), 'root')
    assert.equal(await signer(t, { ...own, ...aws, DAYPASS_DIR: dir }), 'own')
    assert.equal(await signer(t, { ...aws, DAYPASS_DIR: dir }), 'root')
    assert.equal(await signer(t, aws), 'aws')
  })

  it('are never half of a pair', async (t) => {
    assert.match(await signer(t, { DAYPASS_ACCESS_KEY: 'own', ...aws }), /go together/)
    assert.match(await signer(t, { AWS_SECRET_ACCESS_KEY: secret }), /go together/)
  })

  it('are missed with words that help, and without what the file holds', async (t) => {
    const dir = temporary(t)
    assert.match(await signer(t, {}, ['--dir', dir]), /DAYPASS_ACCESS_KEY/)
    writeFileSync(join(dir, 'root-credentials.json'), `{"secretAccessKey":"${secret}"`)
    assert.doesNotMatch(await signer(t, {}, ['--dir', dir]), new RegExp(secret))
  })

  it('sign for the region of the environment', async (t) => {
    const { url, asked } = await fakeServer(t, () => success('ListUsers', { Users: [] }))
    for (const env of [
      {},
      { AWS_DEFAULT_REGION: 'eu-3' },
      { AWS_REGION: 'eu-2', AWS_DEFAULT_REGION: 'eu-3' },
      { DAYPASS_REGION: 'eu-1', AWS_REGION: 'eu-2' },
    ]) {
      await runCli(['admin', 'user', 'ls'], { env: { ...keysFor(url), ...env } })
    }
    assert.deepEqual(
      asked.map(({ headers }) => /\/([^/]+)\/iam\//.exec(headers.authorization ?? '')?.[1]),
      ['us-east-1', 'eu-3', 'eu-2', 'eu-1'],
    )
  })

  it('take their session token along', async (t) => {
    const { url, asked } = await fakeServer(t, () => success('ListUsers', { Users: [] }))
    const env = { ...keysFor(url), DAYPASS_SESSION_TOKEN: 'the token' }
    await runCli(['admin', 'user', 'ls'], { env })
    assert.equal(asked[0]?.headers['x-amz-security-token'], 'the token')
  })
})

describe('answers', () => {
  it('of a list are joined over its pages', async (t) => {
    const { url, asked } = await fakeServer(t, (form) =>
      form.get('Marker') === 'm'
        ? success('ListUsers', { Users: [{ UserName: 'bob' }], IsTruncated: false })
        : success('ListUsers', { Users: [{ UserName: 'ann' }], IsTruncated: true, Marker: 'm' }),
    )
    const { code, out } = await runCli(['admin', 'user', 'ls', '--json'], { env: keysFor(url) })
    assert.equal(code, 0)
    assert.deepEqual(
      JSON.parse(out).map(({ name }: { name: string }) => name),
      ['ann', 'bob'],
    )
    assert.equal(asked.length, 2)
  })

  it('cannot steer the terminal', async (t) => {
    const evil = { UserName: '\u001b[2Jevil\u202e\nroot', Status: 'enabled' }
    const { url } = await fakeServer(t, () => success('ListUsers', { Users: [evil] }))
    const { out } = await runCli(['admin', 'user', 'ls'], { env: keysFor(url) })
    assert.match(out, /\\u\{1b\}\[2Jevil\\u\{202e\}\\u\{a\}root/)
    assert.equal(out.split('\n').length, 3)
  })

  it('in XML are understood as well', async (t) => {
    const trace = JSON.stringify({ decisionId: 'd1', steps: [] })
    const { url, asked } = await fakeServer(t, () => ({
      type: 'text/xml',
      body: `<A><DecodeAuthorizationMessageResponse><DecodeAuthorizationMessageResult><DecodedMessage>${trace}</DecodedMessage></DecodeAuthorizationMessageResult></DecodeAuthorizationMessageResponse></A>`.replaceAll(
        /<\/?A>/g,
        '',
      ),
    }))
    const message = 'dpm1.abcdefghij234567.xyz'
    const { code, out } = await runCli(['explain', '-', '--json'], {
      env: keysFor(url),
      stdin: `<Error><EncodedMessage>${message}</EncodedMessage></Error>`,
    })
    assert.equal(code, 0)
    assert.equal(JSON.parse(out).decisionId, 'd1')
    assert.equal(asked[0]?.form.get('EncodedMessage'), message)
    assert.match(asked[0]?.headers.authorization ?? '', /\/sts\/aws4_request/)
  })
})

describe('refusals of the server', () => {
  for (const [title, told, expected] of [
    ['a conflict', failure(409, 'EntityAlreadyExists', 'there already'), 1],
    ['a fault', failure(500, 'ServiceFailure', 'sorry'), 1],
    ['a denial', failure(403, 'AccessDenied', 'no'), 4],
    ['an unknown key', failure(403, 'InvalidClientTokenId', 'who?'), 4],
    [
      'XML of STS',
      {
        status: 403,
        type: 'text/xml',
        body: '<ErrorResponse><Error><Code>ExpiredToken</Code><Message>over</Message></Error></ErrorResponse>',
      },
      4,
    ],
    [
      'something that is no Daypass',
      { status: 404, type: 'text/html', body: '<html><body>not found</body></html>' },
      3,
    ],
    ['broken XML', { status: 200, type: 'text/xml', body: '<a><b></a>' }, 3],
    [
      'a document type',
      { status: 200, type: 'text/xml', body: '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>' },
      3,
    ],
    ['broken JSON', { status: 200, body: '{' }, 3],
    ['a redirect', { status: 302, body: '{}' }, 3],
  ] as const) {
    it(`give ${title} the exit code ${expected}`, async (t) => {
      const { url } = await fakeServer(t, () => told)
      const { code, out, error } = await runCli(['admin', 'user', 'add', 'ann'], {
        env: keysFor(url),
      })
      assert.equal(code, expected, error)
      assert.equal(out, '')
      assert.doesNotMatch(error, new RegExp(secret))
    })
  }

  it('say how to have a denial explained, without the message twice', async (t) => {
    const message = `dpm1.abcdefghij234567.${'x'.repeat(300)}`
    const { url } = await fakeServer(t, () =>
      failure(
        403,
        'AccessDenied',
        `You may not. Encoded authorization failure message: ${message}`,
      ),
    )
    const { error } = await runCli(['admin', 'user', 'ls'], { env: keysFor(url) })
    assert.equal(error, `AccessDenied: You may not.\nWhy: daypass explain ${message}\n`)
  })

  it('are told apart from a server that is not there (exit code 3)', async () => {
    const { code, error } = await runCli(['admin', 'user', 'ls'], {
      env: keysFor('http://127.0.0.1:1'),
    })
    assert.equal(code, 3)
    assert.match(error, /--endpoint/)
  })
})

describe('revocations', () => {
  it('name whom they concern', async (t) => {
    const { url } = await fakeServer(t, () =>
      success('ListRevocations', {
        Revocations: [
          { Principal: 'user:8:internal:alice' },
          { Principal: 'web-identity:7:default:a:b' },
          { Principal: 'root:8:internal:root' },
          { AccessKeyId: 'ASIAABCDEFGHIJKLMNOP' },
        ],
      }),
    )
    const { out } = await runCli(['admin', 'revocations', 'ls'], { env: keysFor(url) })
    assert.deepEqual(
      out
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.trim()),
      ['user alice', 'a:b of default', 'root', 'ASIAABCDEFGHIJKLMNOP'],
    )
  })
})

describe('policy names', () => {
  it('are tried among our own first, then among the built-in ones', async (t) => {
    const { url, asked } = await fakeServer(t, (form) =>
      form.get('PolicyArn') === 'arn:aws:iam::aws:policy/readonly'
        ? success('AttachUserPolicy', {})
        : failure(404, 'NoSuchEntity', 'no such policy'),
    )
    const args = ['admin', 'user', 'attach', 'ann', 'readonly']
    assert.equal((await runCli(args, { env: keysFor(url) })).code, 0)
    assert.deepEqual(
      asked.map(({ form }) => form.get('PolicyArn')),
      ['arn:aws:iam::000000000000:policy/readonly', 'arn:aws:iam::aws:policy/readonly'],
    )
  })

  it('that are nowhere give the first refusal', async (t) => {
    const { url } = await fakeServer(t, (form) =>
      failure(404, 'NoSuchEntity', `no ${form.get('PolicyArn')}`),
    )
    const { code, error } = await runCli(['admin', 'policy', 'rm', 'x'], { env: keysFor(url) })
    assert.equal(code, 1)
    assert.equal(error, 'NoSuchEntity: no arn:aws:iam::000000000000:policy/x\n')
  })

  it('that exist are replaced by put', async (t) => {
    const { url, asked } = await fakeServer(t, (form) =>
      form.get('Action') === 'CreatePolicy'
        ? failure(409, 'EntityAlreadyExists', 'there')
        : success(form.get('Action') ?? '', {}),
    )
    const { code } = await runCli(['admin', 'policy', 'put', 'p', '-'], {
      env: keysFor(url),
      stdin: '{"a":1}',
    })
    assert.equal(code, 0)
    const last = asked.at(-1)?.form
    assert.equal(last?.get('SetAsDefault'), 'true')
    assert.equal(last?.get('PolicyDocument'), '{"a":1}')
  })

  it('that have five versions lose the oldest that does not act', async (t) => {
    const Versions = ['v3', 'v4', 'v5', 'v6', 'v7'].map((VersionId) => ({
      VersionId,
      IsDefaultVersion: VersionId === 'v3',
    }))
    const { url, asked } = await fakeServer(t, (form) => {
      const action = form.get('Action') ?? ''
      if (action === 'CreatePolicy') return failure(409, 'EntityAlreadyExists', 'there')
      return success(action, action === 'ListPolicyVersions' ? { Versions } : {})
    })
    const stdin = '{"a":1}'
    const { code } = await runCli(['admin', 'policy', 'put', 'p', '-'], {
      env: keysFor(url),
      stdin,
    })
    assert.equal(code, 0)
    assert.deepEqual(
      asked.map(({ form }) => [form.get('Action'), form.get('VersionId')]),
      [
        ['CreatePolicy', null],
        ['ListPolicyVersions', null],
        ['DeletePolicyVersion', 'v4'],
        ['CreatePolicyVersion', null],
      ],
    )
  })
})

describe('lint', () => {
  it('takes a policy, and shows nothing but the value as JSON', async () => {
    const stdin =
      '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}'
    const { code, out } = await runCli(['lint', '-', '--json'], { stdin })
    assert.equal(code, 0)
    assert.equal(JSON.parse(out).valid, true)
  })

  for (const stdin of ['', '{', '{"Statement":[]}', '{"Statement":{"Effect":"Maybe"}}']) {
    it(`refuses ${JSON.stringify(stdin)} with exit code 1`, async () => {
      const { code, out } = await runCli(['lint', '-'], { stdin })
      assert.equal(code, 1)
      assert.equal(out, '')
    })
  }
})
