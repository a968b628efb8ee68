import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'

import { openKit, textOf } from './testing/kit.ts'
import type { Kit, Received } from './testing/kit.ts'

let kit: Kit
before(async () => {
  kit = await openKit({ reservedBuckets: new Set(['daypass']) })
  await kit.send('/bkt', { method: 'PUT' })
})
after(async () => {
  assert.deepEqual(kit.faults, [], 'faults of ours')
  await kit.close()
})
beforeEach(() => {
  kit.access.allows = (_, caller) => caller.kind !== 'anonymous'
})

const put = (target: string, body = ''): Promise<Received> =>
  kit.send(target, { method: 'PUT', body })

describe('buckets (S3 surface, section 16.1)', () => {
  it('are made, found and removed', async () => {
    const made = await put('/new')
    assert.equal(made.headers['location'], '/new')
    assert.equal((await put('/new')).code, 'BucketAlreadyOwnedByYou')
    const head = await kit.send('/new', { method: 'HEAD' })
    assert.equal(head.headers['x-amz-bucket-region'], 'us-east-1')
    assert.match(
      (await kit.send('/new?location')).text,
      /<LocationConstraint xmlns="[^"]+"><\/LocationConstraint>/,
    )
    await put('/new/k', 'x')
    assert.equal((await kit.send('/new', { method: 'DELETE' })).code, 'BucketNotEmpty')
    await kit.send('/new/k', { method: 'DELETE' })
    assert.equal((await kit.send('/new', { method: 'DELETE' })).status, 204)
    assert.equal((await kit.send('/new', { method: 'HEAD' })).code, 'NoSuchBucket')
  })

  it('are served by virtual host too', async () => {
    const host = 'bkt.s3.example.test:9000'
    await kit.send('/a/b', { method: 'PUT', body: 'hosted', host })
    assert.equal((await kit.send('/bkt/a/b')).text, 'hosted')
    assert.equal(textOf((await kit.send('/', { host })).text, 'Key'), 'a/b')
  })

  it('take our region or the one that is signed for, and no other', async () => {
    const body = (location: string) =>
      `<CreateBucketConfiguration><LocationConstraint>${location}</LocationConstraint></CreateBucketConfiguration>`
    assert.equal((await put('/there', body('us-east-1'))).status, 200)
    assert.equal((await put('/there2', body('eu-west-1'))).code, 'InvalidLocationConstraint')
    assert.equal((await put('/there2', '<Other/>')).code, 'MalformedXML')
    assert.equal(
      (await put('/there2', '<!DOCTYPE x><CreateBucketConfiguration/>')).code,
      'MalformedXML',
    )
    const express =
      '<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>'
    assert.equal((await put('/there2', express)).code, 'NotImplemented')
    assert.equal((await kit.send('/there2', { method: 'HEAD' })).code, 'NoSuchBucket')
  })

  it('tell their region even to who may not see them', async () => {
    kit.access.allows = () => false
    const head = await kit.send('/bkt', { method: 'HEAD' })
    assert.equal(head.code, 'AccessDenied')
    assert.equal(head.headers['x-amz-bucket-region'], 'us-east-1')
  })

  it('may not be called what is no name or is ours', async () => {
    for (const name of ['ab', 'Abc', 'a..b', '1.2.3.4', 'daypass', 'xn--a']) {
      assert.equal((await put(`/${name}`)).code, 'InvalidBucketName', name)
    }
  })

  it('refuse settings that would not be kept', async () => {
    const headers = { 'x-amz-bucket-object-lock-enabled': 'true' }
    assert.equal((await kit.send('/lock', { method: 'PUT', headers })).code, 'NotImplemented')
    const open = { 'x-amz-acl': 'public-read-write' }
    assert.equal(
      (await kit.send('/lock', { method: 'PUT', headers: open })).code,
      'AccessControlListNotSupported',
    )
    const owner = { 'x-amz-object-ownership': 'ObjectWriter' }
    assert.equal(
      (await kit.send('/lock', { method: 'PUT', headers: owner })).code,
      'NotImplemented',
    )
    for (const setting of [
      'cors',
      'lifecycle',
      'encryption',
      'replication',
      'website',
      'tagging',
      'notification',
      'publicAccessBlock',
    ]) {
      assert.equal((await put(`/bkt?${setting}`, '<x/>')).code, 'NotImplemented', setting)
      assert.equal(
        (await kit.send(`/bkt?${setting}`, { method: 'DELETE' })).code,
        'NotImplemented',
        setting,
      )
    }
    assert.equal((await kit.send('/bkt', { method: 'HEAD' })).status, 200)
  })

  it('say what is not set', async () => {
    const expected: readonly (readonly [string, number, string | undefined])[] = [
      ['replication', 404, 'ReplicationConfigurationNotFoundError'],
      ['website', 404, 'NoSuchWebsiteConfiguration'],
      ['cors', 404, 'NoSuchCORSConfiguration'],
      ['lifecycle', 404, 'NoSuchLifecycleConfiguration'],
      ['encryption', 404, 'ServerSideEncryptionConfigurationNotFoundError'],
      ['object-lock', 404, 'ObjectLockConfigurationNotFoundError'],
      ['tagging', 404, 'NoSuchTagSet'],
      ['publicAccessBlock', 404, 'NoSuchPublicAccessBlockConfiguration'],
      ['policy', 404, 'NoSuchBucketPolicy'],
      ['policyStatus', 404, 'NoSuchBucketPolicy'],
      ['logging', 200, undefined],
      ['notification', 200, undefined],
      ['requestPayment', 200, undefined],
      ['accelerate', 200, undefined],
      ['ownershipControls', 200, undefined],
      ['versioning', 200, undefined],
    ]
    for (const [setting, status, code] of expected) {
      const received = await kit.send(`/bkt?${setting}`)
      assert.equal(received.status, status, setting)
      assert.equal(received.code, code)
    }
    await put('/bkt/k', 'x')
    assert.equal((await kit.send('/bkt/k?retention')).code, 'NoSuchObjectLockConfiguration')
    assert.equal((await kit.send('/bkt/k?legal-hold')).status, 404)
  })

  it('switch versions on and off, and refuse other words', async () => {
    const set = (inner: string) =>
      put('/bkt?versioning', `<VersioningConfiguration>${inner}</VersioningConfiguration>`)
    assert.equal(textOf((await kit.send('/bkt?versioning')).text, 'Status'), undefined)
    for (const status of ['Enabled', 'Suspended']) {
      assert.equal((await set(`<Status>${status}</Status>`)).status, 200)
      assert.equal(textOf((await kit.send('/bkt?versioning')).text, 'Status'), status)
    }
    assert.equal(
      (await set('<Status>enabled</Status>')).code,
      'IllegalVersioningConfigurationException',
    )
    assert.equal((await set('')).code, 'IllegalVersioningConfigurationException')
    assert.equal(
      (await set('<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>')).code,
      'NotImplemented',
    )
    assert.equal((await put('/bkt?versioning')).code, 'MalformedXML')
  })

  it('tell other faces whether a request is about one of them', async () => {
    const about = (path: string, host = 'localhost') =>
      kit.face.addressesBucket({
        id: '0',
        method: 'POST',
        path,
        query: '',
        headers: [['Host', host]],
        body: (async function* () {})(),
        source: '127.0.0.1',
        secure: false,
        receivedAt: new Date(),
        proceed() {},
      })
    assert.equal(await about('/'), false)
    assert.equal(await about('/bkt'), true)
    assert.equal(await about('/missing'), false)
    assert.equal(await about('/%zz'), false)
    assert.equal(await about('/', 'bkt.s3.example.test'), true)
  })
})

describe('bucket policies (IAM policy, section 8)', () => {
  const policy = (statement: object) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: '*',
          Action: 's3:GetObject',
          Resource: 'arn:aws:s3:::bkt/*',
          ...statement,
        },
      ],
    })

  it('are kept, given back, judged with each access, and removed', async () => {
    assert.equal((await put('/bkt?policy', policy({}))).status, 204)
    const kept = await kit.send('/bkt?policy')
    assert.equal(kept.headers['content-type'], 'application/json')
    assert.equal(JSON.parse(kept.text).Statement[0].Action, 's3:GetObject')
    assert.equal(textOf((await kit.send('/bkt?policyStatus')).text, 'IsPublic'), 'true')
    kit.access.take()
    kit.access.asked.length = 0
    await kit.send('/bkt/k')
    assert.equal(kit.access.asked[0]?.bucketPolicy?.name, 'bucket policy of bkt')
    assert.equal((await kit.send('/bkt?policy', { method: 'DELETE' })).status, 204)
    assert.equal((await kit.send('/bkt?policy')).code, 'NoSuchBucketPolicy')
  })

  it('are refused when malformed, too large, or about something else', async () => {
    const bad: readonly (readonly [string, string])[] = [
      ['', 'MalformedPolicy'],
      ['{}', 'MalformedPolicy'],
      ['not json', 'MalformedPolicy'],
      [policy({ Resource: 'arn:aws:s3:::other/*' }), 'MalformedPolicy'],
      [policy({ Resource: '*' }), 'MalformedPolicy'],
      [policy({ Resource: 'arn:aws:s3:::bkt*' }), 'MalformedPolicy'],
      [policy({ Resource: ['arn:aws:s3:::bkt', 'arn:aws:s3:::bkt2'] }), 'MalformedPolicy'],
      [policy({ Action: 'admin:*' }), 'MalformedPolicy'],
      [policy({ Principal: undefined }), 'MalformedPolicy'],
      [policy({ Conditions: {} }), 'MalformedPolicy'],
      [policy({ Sid: 'x'.repeat(21 * 1024) }), 'PolicyTooLarge'],
    ]
    for (const [text, code] of bad) {
      const received = await put('/bkt?policy', text)
      assert.equal(received.code, code, text.slice(0, 100))
      assert.equal(received.status, 400)
    }
    assert.equal((await kit.send('/bkt?policy')).code, 'NoSuchBucketPolicy')
  })

  it('are refused when their writer could not change them again, unless that is meant', async () => {
    kit.access.allows = ({ bucketPolicy }) => bucketPolicy?.name !== 'the new bucket policy'
    const headers = { 'x-amz-confirm-remove-self-bucket-access': 'true' }
    assert.equal((await put('/bkt?policy', policy({}))).code, 'MalformedPolicy')
    const meant = await kit.send('/bkt?policy', { method: 'PUT', body: policy({}), headers })
    assert.equal(meant.status, 204)
    await kit.send('/bkt?policy', { method: 'DELETE' })
  })

  it('that no longer parse deny instead of vanishing', async () => {
    await kit.origin.handle('PutBucketPolicy', { bucket: 'bkt', policy: '{"broken":' })
    kit.access.asked.length = 0
    await kit.send('/bkt/k')
    assert.equal(kit.access.asked[0]?.bucketPolicy?.policy.kind, 'broken')
    await kit.send('/bkt?policy', { method: 'DELETE' })
  })
})
