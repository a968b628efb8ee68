import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'

import { accessKeyId, openKit, secretAccessKey, textOf } from './testing/kit.ts'
import type { Kit, Received, Sent } from './testing/kit.ts'

let kit: Kit
before(async () => {
  kit = await openKit({ maxObjectBytes: 1_000_000 })
  await kit.send('/bkt', { method: 'PUT' })
})
after(async () => {
  assert.deepEqual(kit.faults, [], 'faults of ours')
  await kit.close()
})
beforeEach(() => {
  kit.access.allows = (_, caller) => caller.kind !== 'anonymous'
})

type Field = readonly [name: string, value: string]
const boundary = '----formboundary'

function formBody(
  fields: readonly Field[],
  file = 'file body',
  end = `--${boundary}--\r\n`,
): string {
  const rows = fields.map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  )
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="C:\\dir\\photo.txt"\r\nContent-Type: text/plain\r\n\r\n`
  return `${rows.join('')}${head}${file}\r\n${end}`
}

function post(body: Sent['body'], headers: Record<string, string> = {}): Promise<Received> {
  return kit.send('/bkt', {
    method: 'POST',
    anonymous: true,
    ...(body === undefined ? {} : { body }),
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, ...headers },
  })
}

const sha = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()

function sign(policy: string): string {
  const date = sha(`AWS4${secretAccessKey.reveal()}`, '20261121')
  return sha(sha(sha(sha(date, 'us-east-1'), 's3'), 'aws4_request'), policy).toString('hex')
}

/** A signed form: `conditions` beside those on the bucket and the signing fields. */
function signed(
  fields: readonly Field[],
  conditions: readonly unknown[],
  expiration = '2026-11-21T13:00:00Z',
): Field[] {
  const credential = `${accessKeyId}/20261121/us-east-1/s3/aws4_request`
  const own: Field[] = [
    ['x-amz-algorithm', 'AWS4-HMAC-SHA256'],
    ['x-amz-credential', credential],
    ['x-amz-date', '20261121T120000Z'],
  ]
  const all = [{ bucket: 'bkt' }, ...own.map(([name, value]) => ({ [name]: value })), ...conditions]
  return withPolicy([...fields, ...own], JSON.stringify({ expiration, conditions: all }))
}

function withPolicy(fields: readonly Field[], json: string): Field[] {
  const policy = Buffer.from(json).toString('base64')
  return [...fields, ['policy', policy], ['x-amz-signature', sign(policy)]]
}

const anyKey = ['starts-with', '$key', '']

async function refused(body: Sent['body'], status: number, code: string): Promise<void> {
  const received = await post(body)
  assert.equal(received.code, code, received.text)
  assert.equal(received.status, status)
  assert.equal((await kit.send('/bkt/refused')).code, 'NoSuchKey')
}

describe('browser forms (S3 surface, section 6)', () => {
  it('store their file under its name, with what the form says', async () => {
    const fields = signed(
      [
        ['Key', 'up/${filename}'],
        ['Content-Type', 'text/html'],
        ['x-amz-meta-n', 'grüße'],
        ['tagging', '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'],
        ['x-ignore-me', 'x'],
      ],
      [
        ['starts-with', '$key', 'up/'],
        ['starts-with', '$Content-Type', 'text/'],
        ['eq', '$x-amz-meta-n', 'grüße'],
        ['starts-with', '$tagging', ''],
        ['content-length-range', 1, 100],
      ],
    )
    kit.access.take()
    const received = await post(formBody(fields))
    assert.equal(received.status, 204, received.text)
    assert.equal(received.headers['location'], 'http://localhost:9000/bkt/up/photo.txt')
    const asked = kit.access.asked.map(({ action, resource, s3 }) => [
      action,
      resource,
      s3?.authType,
    ])
    assert.deepEqual(asked, [
      ['s3:PutObject', 'arn:aws:s3:::bkt/up/photo.txt', 'POST'],
      ['s3:PutObjectTagging', 'arn:aws:s3:::bkt/up/photo.txt', 'POST'],
    ])
    const got = await kit.send('/bkt/up/photo.txt')
    assert.equal(got.text, 'file body')
    assert.equal(got.headers['content-type'], 'text/html')
    assert.equal(Buffer.from(got.headers['x-amz-meta-n'] ?? '', 'latin1').toString(), 'grüße')
    assert.equal(got.headers['x-amz-tagging-count'], '1')
  })

  it('answer as the form asks', async () => {
    const answer = (name: string, value: string) =>
      post(
        formBody(
          signed(
            [
              ['key', 'k'],
              [name, value],
            ],
            [anyKey, { [name]: value }],
          ),
        ),
      )
    assert.equal((await answer('success_action_status', '200')).status, 200)
    assert.equal((await answer('success_action_status', '999')).status, 204)
    const created = await answer('success_action_status', '201')
    assert.equal(created.status, 201)
    assert.equal(textOf(created.text, 'Key'), 'k')
    const redirected = await answer('success_action_redirect', 'https://app.test/done?x=1')
    assert.equal(redirected.status, 303)
    const location = new URL(redirected.headers['location'] ?? '')
    assert.equal(location.searchParams.get('key'), 'k')
    assert.equal(location.searchParams.get('x'), '1')
    assert.equal(
      (await answer('success_action_redirect', 'javascript:alert(1)')).code,
      'InvalidArgument',
    )
  })

  it('are refused by their own policy', async () => {
    const key: Field = ['key', 'refused']
    await refused(formBody(signed([key], [anyKey], '2026-11-21T12:00:00Z')), 403, 'AccessDenied')
    await refused(formBody(signed([key], [['eq', '$key', 'other']])), 403, 'AccessDenied')
    await refused(formBody(signed([key], [['starts-with', '$key', 'other']])), 403, 'AccessDenied')
    await refused(formBody(signed([key, ['acl', 'private']], [anyKey])), 403, 'AccessDenied')
    await refused(formBody(signed([key], [])), 403, 'AccessDenied')
    await refused(formBody(signed([key], [anyKey, { bucket: 'other' }])), 403, 'AccessDenied')
    await refused(
      formBody(signed([key], [anyKey, ['content-length-range', 10, 20]])),
      400,
      'EntityTooSmall',
    )
    await refused(
      formBody(signed([key], [anyKey, ['content-length-range', 0, 8]])),
      400,
      'EntityTooLarge',
    )
    const types: Field = ['content-type', 'text/a, image/b']
    await refused(
      formBody(signed([key, types], [anyKey, ['starts-with', '$content-type', 'text/']])),
      403,
      'AccessDenied',
    )
  })

  it('are refused with a policy that cannot be read', async () => {
    const bad = [
      'x',
      '[]',
      '{}',
      '{"expiration":"2026-11-21T13:00:00Z"}',
      '{"expiration":"tomorrow","conditions":[]}',
      '{"expiration":"2026-11-21T13:00:00Z","conditions":[],"more":1}',
      '{"expiration":"2026-11-21T13:00:00Z","conditions":[],"conditions":[]}',
      '{"expiration":"2026-11-21T13:00:00Z","conditions":[["ends-with","$key","x"]]}',
      '{"expiration":"2026-11-21T13:00:00Z","conditions":[["eq","key","x"]]}',
      '{"expiration":"2026-11-21T13:00:00Z","conditions":[["content-length-range",-1,5]]}',
      '{"expiration":"2026-11-21T13:00:00Z","conditions":[{"key":5}]}',
      '{"expiration":"2026-11-21T13:00:00Z","conditions":["key"]}',
      '{"expiration":"2026-11-21T13:00:00Z","conditions":[{"key":"a","key":"b"}]}',
    ]
    const own = signed([['key', 'refused']], []).slice(0, 4)
    for (const json of bad)
      await refused(formBody(withPolicy(own, json)), 400, 'InvalidPolicyDocument')
  })

  it('are refused when the signature is wrong, incomplete, or of version 2', async () => {
    const good = signed([['key', 'refused']], [anyKey])
    const forged = good.map(([name, value]): Field =>
      name === 'x-amz-signature' ? [name, '0'.repeat(64)] : [name, value],
    )
    await refused(formBody(forged), 403, 'SignatureDoesNotMatch')
    for (const missing of [
      'policy',
      'x-amz-algorithm',
      'x-amz-credential',
      'x-amz-date',
      'x-amz-signature',
    ]) {
      await refused(formBody(good.filter(([name]) => name !== missing)), 400, 'InvalidArgument')
    }
    await refused(
      formBody([
        ['key', 'refused'],
        ['AWSAccessKeyId', 'x'],
        ['signature', 'y'],
      ]),
      400,
      'InvalidRequest',
    )
    await refused(
      formBody([
        ['key', 'refused'],
        ['x-amz-security-token', 'x'],
      ]),
      403,
      'AccessDenied',
    )
  })

  it('are refused beside another way to sign', async () => {
    const body = formBody(signed([['key', 'refused']], [anyKey]))
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
    const received = await kit.send('/bkt', { method: 'POST', body, headers })
    assert.equal(received.code, 'InvalidArgument')
    assert.equal(textOf(received.text, 'ArgumentName'), 'Authorization')
  })

  it('that nobody signed are judged as anonymous', async () => {
    await refused(formBody([['key', 'refused']]), 403, 'AccessDenied')
    kit.access.allows = () => true
    assert.equal((await post(formBody([['key', 'public']]))).status, 204)
    assert.equal((await kit.send('/bkt/public')).text, 'file body')
  })

  it('are refused when malformed, cut off, or without a file or key', async () => {
    kit.access.allows = () => true
    const key: Field = ['key', 'refused']
    await refused(formBody([]), 400, 'InvalidArgument')
    await refused(formBody([['key', '']]), 400, 'InvalidArgument')
    await refused(formBody([['key', 'a\u0001b']]), 400, 'InvalidArgument')
    await refused(formBody([key, key]), 400, 'InvalidArgument')
    await refused('garbage', 400, 'InvalidArgument')
    await refused('', 400, 'InvalidArgument')
    await refused(`--${boundary}--\r\n`, 400, 'InvalidArgument')
    await refused(formBody([key], 'file body', ''), 400, 'InvalidArgument')
    await refused(formBody([key], 'file body', formBody([])), 400, 'InvalidArgument')
    await refused(formBody([key, ['x-amz-meta-a', 'x\r\ny: z']]), 400, 'InvalidArgument')
    await refused(
      formBody([key, ['filler', 'x'.repeat(70_000)]]),
      400,
      'MaxPostPreDataLengthExceededError',
    )
    const many = Array.from({ length: 30 }, (_, n): Field => [`f${n}`, 'x'.repeat(3000)])
    await refused(formBody([key, ...many]), 400, 'MaxPostPreDataLengthExceededError')
    assert.equal((await post('x', { 'content-type': 'multipart/form-data' })).status, 405)
    assert.equal(
      (await post('x', { 'content-type': 'multipart/form-data; x=y' })).code,
      'InvalidArgument',
    )
  })

  it('leave nothing behind when the connection breaks', async () => {
    kit.access.allows = () => true
    const body = Buffer.from(formBody([['key', 'refused']], 'x'.repeat(500_000)))
    const broken = async function* () {
      yield body.subarray(0, 300_000)
      throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
    }
    await refused(broken(), 400, 'IncompleteBody')
  })

  it('take large files piece by piece, up to the limit', async () => {
    kit.access.allows = () => true
    const pieces = async function* (file: string) {
      const body = Buffer.from(formBody([['key', 'large']], file))
      for (let at = 0; at < body.length; at += 70_001) yield body.subarray(at, at + 70_001)
    }
    assert.equal((await post(pieces('y'.repeat(1_000_000)))).status, 204)
    assert.equal((await kit.send('/bkt/large')).text.length, 1_000_000)
    assert.equal((await post(pieces('y'.repeat(1_000_001)))).code, 'EntityTooLarge')
  })
})
