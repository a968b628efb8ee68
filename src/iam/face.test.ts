import { SignatureV4 } from '@smithy/signature-v4'
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { takesAtMost } from '../../test/bounds/processor-time.ts'
import type { KnownCaller } from '../access/index.ts'
import { Secret } from '../secret.ts'
import { bodyOf, call, document, formOf, makeWorld, post, read, root } from './testing/world.ts'

describe('the door of the IAM face', () => {
  it('refuses an unsigned request', async (t) => {
    const world = await makeWorld(t)
    const { response, code } = await call(world, undefined, 'ListUsers')
    assert.equal(response.status, 403)
    assert.equal(code, 'MissingAuthenticationToken')
  })

  it('refuses a wrong secret, and changes nothing', async (t) => {
    const world = await makeWorld(t)
    const forged = { accessKeyId: root.accessKeyId, secret: new Secret('not the root secret') }
    const { response, code } = await call(world, forged, 'CreateUser', { UserName: 'eve' })
    assert.equal(response.status, 403)
    assert.equal(code, 'SignatureDoesNotMatch')
    assert.equal(world.admin.findUser('eve'), undefined)
    assert.deepEqual(world.audit, [])
  })

  it('refuses an access key that nobody has', async (t) => {
    const world = await makeWorld(t)
    const stranger = { accessKeyId: 'stranger', secret: new Secret('some secret') }
    assert.equal((await call(world, stranger, 'ListUsers')).code, 'InvalidClientTokenId')
  })

  it('refuses a body that is not the one that was signed', async (t) => {
    const world = await makeWorld(t)
    const signed = post(formOf('DeleteUser', { UserName: 'aaa' }), root)
    const other = formOf('DeleteUser', { UserName: 'bbb' })
    const response = await world.face.handle({
      ...signed,
      body: Readable.from([Buffer.from(other)]),
    })
    assert.equal(read(response).code, 'SignatureDoesNotMatch')
  })

  it('refuses a request that was signed for another service', async (t) => {
    const world = await makeWorld(t)
    const request = post(formOf('ListUsers'), root)
    const headers = request.headers.map(
      ([name, value]) => [name, value.replace('/iam/aws4_request', '/s3/aws4_request')] as const,
    )
    const { response } = read(await world.face.handle({ ...request, headers }))
    assert.ok(response.status >= 400 && response.status < 500)
  })

  it('refuses a body of more than 64 KiB without reading the rest, and closes', async (t) => {
    const world = await makeWorld(t)
    let given = 0
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(8192, ++given % 26)
      })(),
    )
    const response = await world.face.handle({ ...post('', root), body: endless })
    assert.equal(response.status, 413)
    assert.equal(response.close, true)
    assert.ok(given < 20, `${given} chunks were read`)
  })

  it('takes a body of exactly 64 KiB', async (t) => {
    const world = await makeWorld(t)
    const form = formOf('CreatePolicy', { PolicyName: 'big', PolicyDocument: '' })
    const { code } = read(await world.face.handle(post(form.padEnd(64 * 1024, 'x'), root)))
    assert.equal(code, 'LimitExceeded', 'read whole, and refused as a policy')
  })

  it('refuses a body that is no form', async (t) => {
    const world = await makeWorld(t)
    const plain = post(formOf('ListUsers'), root, { 'content-type': 'text/plain' })
    assert.equal(read(await world.face.handle(plain)).code, 'MalformedQueryString')
  })

  it('refuses another method than the one that was signed', async (t) => {
    const world = await makeWorld(t)
    const put = { ...post(formOf('ListUsers'), root), method: 'PUT' }
    assert.equal(read(await world.face.handle(put)).code, 'SignatureDoesNotMatch')
  })

  for (const [title, body, code] of [
    ['no action', 'Version=2010-05-08', 'MissingAction'],
    ['an unknown action', formOf('CreateVirtualMFADevice'), 'InvalidAction'],
    ['an action of Object.prototype', formOf('constructor'), 'InvalidAction'],
    ['another version', 'Action=ListUsers&Version=2011-06-15', 'InvalidAction'],
    ['no version', 'Action=ListUsers', 'InvalidAction'],
    ['an action given twice', `${formOf('ListUsers')}&Action=DeleteUser`, 'MalformedQueryString'],
    [
      'a parameter given twice',
      `${formOf('GetUser', { UserName: 'a' })}&UserName=b`,
      'MalformedQueryString',
    ],
    [
      'a parameter given twice, once encoded',
      `${formOf('GetUser', { UserName: 'a' })}&User%4Eame=b`,
      'MalformedQueryString',
    ],
    ['broken percent-encoding', `${formOf('GetUser')}&UserName=%zz`, 'MalformedQueryString'],
    ['bytes that are not UTF-8', `${formOf('GetUser')}&UserName=%ff`, 'MalformedQueryString'],
    [
      'a parameter that it does not know',
      formOf('CreateUser', { UserName: 'a', PermissionsBoundary: 'arn:x' }),
      'ValidationError',
    ],
    ['a missing parameter', formOf('CreateUser'), 'ValidationError'],
    ['an empty parameter', formOf('CreateUser', { UserName: '' }), 'ValidationError'],
    ['a name with a slash', formOf('CreateUser', { UserName: 'a/b' }), 'ValidationError'],
    [
      'a path that would be lost',
      formOf('CreateUser', { UserName: 'a', Path: '/team/' }),
      'ValidationError',
    ],
  ] as const) {
    it(`refuses ${title}`, async (t) => {
      const world = await makeWorld(t)
      const answer = read(await world.face.handle(post(body, root)))
      assert.equal(answer.response.status, 400)
      assert.equal(answer.code, code)
      assert.equal(world.admin.findUser('a'), undefined)
    })
  }

  it('refuses a parameter that stands in the query string and in the body', async (t) => {
    const world = await makeWorld(t)
    const request = post(formOf('GetUser', { UserName: 'a' }), root)
    const { response } = read(await world.face.handle({ ...request, query: 'UserName=b' }))
    assert.equal(response.status, 403, 'the query string is signed')
  })

  it('shows nothing of a fault of ours, and logs it', async (t) => {
    const world = await makeWorld(t, {
      authorize: () => {
        throw new TypeError('the secret is hunter2')
      },
    })
    const { response, text } = await call(world, root, 'ListUsers')
    assert.equal(response.status, 500)
    assert.doesNotMatch(text, /hunter2/)
    assert.equal(world.faults.length, 1)
  })

  it('answers JSON to those who accept it, also for refusals', async (t) => {
    const world = await makeWorld(t)
    const accept = { accept: 'application/json' }
    const good = await world.face.handle(
      post(formOf('CreateUser', { UserName: 'ann' }), root, accept),
    )
    assert.equal(good.headers['content-type'], 'application/json')
    const made = JSON.parse(bodyOf(good))
    assert.equal(made.CreateUserResponse.CreateUserResult.User.UserName, 'ann')
    const bad = await world.face.handle(
      post(formOf('CreateUser', { UserName: 'ann' }), root, accept),
    )
    assert.equal(bad.status, 409)
    assert.equal(JSON.parse(bodyOf(bad)).Error.Code, 'EntityAlreadyExists')
  })

  it('forbids caching of every answer', async (t) => {
    const world = await makeWorld(t)
    for (const key of [root, undefined]) {
      const { response } = await call(world, key, 'ListUsers')
      assert.equal(response.headers['cache-control'], 'no-store')
    }
  })
})

describe('permissions of the IAM face', () => {
  it('refuses a user without policies, with a decision to explain, and puts it on record', async (t) => {
    const world = await makeWorld(t)
    const key = await world.makeUser('bob')
    const { response, code, text } = await call(world, key, 'CreateUser', { UserName: 'eve' })
    assert.equal(response.status, 403)
    assert.equal(code, 'AccessDenied')
    assert.match(text, /iam:CreateUser on arn:aws:iam::000000000000:user\/eve/)
    assert.match(text, /Encoded authorization failure message: sealed\./)
    assert.equal(world.admin.findUser('eve'), undefined)
    assert.deepEqual(
      world.audit.map(({ outcome, code, caller }) => ({ outcome, code, name: caller.name })),
      [{ outcome: 'refused', code: 'access_denied', name: 'bob' }],
    )
    assert.ok(world.audit[0]?.decisionId)
  })

  it('refuses a stranger before saying whether something exists', async (t) => {
    const world = await makeWorld(t)
    const key = await world.makeUser('bob')
    await world.makeUser('ann')
    const answers = ['ann', 'nobody'].map((UserName) => call(world, key, 'GetUser', { UserName }))
    assert.deepEqual(
      (await Promise.all(answers)).map(({ code }) => code),
      ['AccessDenied', 'AccessDenied'],
    )
  })

  it('keeps a permission to the resource that it names', async (t) => {
    const world = await makeWorld(t)
    const policy = document('iam:CreateUser', 'arn:aws:iam::000000000000:user/ci-*')
    const key = await world.makeUser('bob', policy)
    assert.equal((await call(world, key, 'CreateUser', { UserName: 'ci-1' })).response.status, 200)
    assert.equal((await call(world, key, 'CreateUser', { UserName: 'admin' })).code, 'AccessDenied')
    assert.equal((await call(world, key, 'DeleteUser', { UserName: 'ci-1' })).code, 'AccessDenied')
  })

  it('lets the canned policy for S3 administer nothing', async (t) => {
    const world = await makeWorld(t)
    const key = await world.makeUser('bob')
    await world.admin.attachUserPolicy('bob', 'readwrite')
    assert.equal((await call(world, key, 'ListUsers')).code, 'AccessDenied')
    assert.equal((await call(world, key, 'RotateSigningKeys')).code, 'AccessDenied')
  })

  it('asks for a permission of its own before it takes a given access key', async (t) => {
    const world = await makeWorld(t)
    const key = await world.makeUser('bob', document('iam:CreateAccessKey'))
    const given = { UserName: 'bob', AccessKeyId: 'imported', SecretAccessKey: 'from elsewhere' }
    assert.equal((await call(world, key, 'CreateAccessKey', given)).code, 'AccessDenied')
    assert.equal((await call(world, root, 'CreateAccessKey', given)).response.status, 200)
    assert.equal(world.admin.findAccessKey('imported')?.user, 'bob')
  })

  it('refuses the keys of a disabled user', async (t) => {
    const world = await makeWorld(t)
    const key = await world.makeUser('bob', document('iam:*'))
    assert.equal(
      (await call(world, root, 'SetUserStatus', { UserName: 'bob', Status: 'disabled' })).response
        .status,
      200,
    )
    assert.equal((await call(world, key, 'ListUsers')).code, 'InvalidClientTokenId')
  })
})

describe('the audit of changes', () => {
  it('is written before the change and before the answer, without secrets', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('bob')
    const fields = {
      UserName: 'bob',
      AccessKeyId: 'imported',
      SecretAccessKey: 'very secret indeed',
    }
    const { text } = await call(world, root, 'CreateAccessKey', fields)
    assert.match(text, /very secret indeed/)
    assert.deepEqual(
      world.audit.map(({ outcome }) => outcome),
      ['started', 'done'],
    )
    assert.doesNotMatch(JSON.stringify(world.audit), /very secret/)
    assert.deepEqual(world.audit[0]?.parameters, { UserName: 'bob', AccessKeyId: 'imported' })
    assert.match(JSON.stringify(world.audit[1]?.result), /imported/)
  })

  it('stops the change when it cannot be written', async (t) => {
    const world = await makeWorld(t, { audit: () => Promise.reject(new Error('disk full')) })
    const { response } = await call(world, root, 'CreateUser', { UserName: 'bob' })
    assert.equal(response.status, 500)
    assert.equal(world.admin.findUser('bob'), undefined)
  })

  it('keeps the new secret back when its record cannot be written', async (t) => {
    const world = await makeWorld(t, {
      audit: ({ outcome }) =>
        outcome === 'done' ? Promise.reject(new Error('disk full')) : Promise.resolve(),
    })
    await world.admin.createUser('bob')
    const { response, text } = await call(world, root, 'CreateAccessKey', { UserName: 'bob' })
    assert.equal(response.status, 500)
    assert.doesNotMatch(text, /SecretAccessKey/)
  })

  it('says when a change that was allowed failed', async (t) => {
    const world = await makeWorld(t)
    await call(world, root, 'DeleteUser', { UserName: 'nobody' })
    assert.deepEqual(
      world.audit.map(({ outcome, code }) => ({ outcome, code })),
      [
        { outcome: 'started', code: undefined },
        { outcome: 'failed', code: 'no_such_entity' },
      ],
    )
  })

  it('has nothing to say about reading', async (t) => {
    const world = await makeWorld(t)
    await call(world, root, 'ListUsers')
    assert.deepEqual(world.audit, [])
  })
})

describe('what the face takes for its own', () => {
  it('accepts what is signed for service iam, or names its version or actions', async (t) => {
    const { face } = await makeWorld(t)
    const unsigned = post('')
    assert.equal(face.accepts(post('', root)), true)
    assert.equal(face.accepts({ ...unsigned, query: 'Action=ListUsers&Version=2010-05-08' }), true)
    assert.equal(face.accepts(unsigned, new Map([['Action', 'ListUsers']])), true)
  })

  it('leaves STS and S3 alone', async (t) => {
    const { face } = await makeWorld(t)
    const unsigned = post('')
    assert.equal(face.accepts(unsigned), false)
    assert.equal(face.accepts(unsigned, new Map([['Action', 'AssumeRole']])), false)
    assert.equal(face.accepts({ ...unsigned, query: 'prefix=/iam/aws4_request' }), false)
    const hostile = 'AWS4-HMAC-SHA256 '.padEnd(32_000, 'Credential=')
    await takesAtMost(50, () => {
      assert.equal(face.accepts({ ...unsigned, headers: [['authorization', hostile]] }), false)
    })
    const s3 =
      'AWS4-HMAC-SHA256 Credential=a/20260304/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0'
    assert.equal(face.accepts({ ...unsigned, headers: [['authorization', s3]] }), false)
  })
})

describe('the credentials of GetFederationToken (AWS STS API reference)', () => {
  it('call nothing of this API, whatever their policies say', async (t) => {
    for (const [way, code] of [
      ['federation', 'AccessDenied'],
      ['session-token', undefined],
    ] as const) {
      const session = { principal: { provider: 'internal', subject: 'ann' }, way }
      const caller = {
        identity: { kind: 'session', accessKeyId: 'ASIAX', session },
        authentication: { kind: 'header' },
      } as unknown as KnownCaller // oxlint-disable-line typescript/no-unsafe-type-assertion -- as the access room would make it
      const world = await makeWorld(t, {
        authenticate: () => Promise.resolve(caller),
        authorize: () => undefined,
      })
      await world.admin.createUser('ann')
      const made = await call(world, root, 'CreateAccessKey', { UserName: 'ann' })
      assert.equal(made.code, code, way)
      assert.equal(world.admin.listAccessKeys('ann').length, code === undefined ? 1 : 0)
      assert.equal((await call(world, root, 'ListUsers')).code, code, way)
    }
  })
})

describe('a presigned link', () => {
  it('reads, and changes nothing: it lies in logs for days', async (t) => {
    const world = await makeWorld(t)
    await world.admin.createUser('ann')
    const reads = await world.face.handle(await linkTo('GetUser', { UserName: 'ann' }))
    assert.equal(reads.status, 200, bodyOf(reads))
    for (const [action, fields] of [
      ['CreateAccessKey', { UserName: 'ann' }],
      ['DeleteUser', { UserName: 'ann' }],
    ] as const) {
      const { code } = read(await world.face.handle(await linkTo(action, fields)))
      assert.equal(code, 'MissingAuthenticationToken', action)
    }
    assert.deepEqual(world.admin.listAccessKeys('ann'), [])
    assert.ok(world.admin.findUser('ann'))
  })
})

async function linkTo(action: string, fields: Readonly<Record<string, string>>) {
  const { accessKeyId, secret } = root
  const unsigned = post('')
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey: secret.reveal() },
    region: 'us-east-1',
    service: 'iam',
    sha256: NodeSha256,
  })
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: 'http:',
      hostname: 'daypass.test',
      path: '/',
      headers: { host: 'daypass.test' },
      query: { Action: action, Version: '2010-05-08', ...fields },
    },
    { signingDate: unsigned.receivedAt },
  )
  const query = Object.entries(signed.query ?? {})
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&')
  return { ...unsigned, method: 'GET', query, headers: [['host', 'daypass.test']] as const }
}

class NodeSha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data))
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
  reset(): void {}
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (!ArrayBuffer.isView(data)) return Buffer.from(data)
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
