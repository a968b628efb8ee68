import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'

import { cannedPolicies, isAllowed as policyAllows, parsePolicy } from '../policy/index.ts'
import type { Access } from '../policy/index.ts'
import { openKit, textsOf } from './testing/kit.ts'
import type { Kit, Sent } from './testing/kit.ts'

const B = 'arn:aws:s3:::bkt'
const K = `${B}/k`

let kit: Kit
let uploadId = ''
let version = ''

before(async () => {
  kit = await openKit()
  await kit.send('/bkt', { method: 'PUT' })
  await kit.send('/src', { method: 'PUT' })
  await kit.send('/ver', { method: 'PUT' })
  await kit.send('/ver?versioning', {
    method: 'PUT',
    body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
  })
  version =
    (await kit.send('/ver/k', { method: 'PUT', body: 'v' })).headers['x-amz-version-id'] ?? ''
  await kit.send('/bkt/k', { method: 'PUT', body: 'object' })
  await kit.send('/src/k', { method: 'PUT', body: 'source' })
  await kit.send('/src/tagged', {
    method: 'PUT',
    body: 'source',
    headers: { 'x-amz-tagging': 'env=test' },
  })
  const created = await kit.send('/bkt/k?uploads', { method: 'POST' })
  uploadId = textsOf(created.text, 'UploadId')[0] ?? ''
})
after(() => kit.close())
beforeEach(() => {
  kit.access.take()
  kit.access.allows = () => true
  kit.access.tags = false
})

/** Which accesses a request asks for, all of them. */
async function asked(target: string, sent: Sent = {}): Promise<string[]> {
  kit.access.take()
  await kit.send(target, sent)
  return [...new Set(kit.access.take())].sort()
}

const versioningXml =
  '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>'
const taggingXml = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>'
const deleteXml =
  '<Delete><Object><Key>x</Key></Object><Object><Key>y</Key><VersionId>null</VersionId></Object></Delete>'
const policyJson = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${B}/public/*` },
  ],
})

/** Operation, request, and exactly the accesses that it takes. */
const table: readonly (readonly [string, string, Sent, readonly string[]])[] = [
  ['ListBuckets', '/', {}, ['s3:ListAllMyBuckets *']],
  ['CreateBucket', '/new', { method: 'PUT' }, ['s3:CreateBucket arn:aws:s3:::new']],
  ['DeleteBucket', '/bkt', { method: 'DELETE' }, [`s3:DeleteBucket ${B}`]],
  ['HeadBucket', '/bkt', { method: 'HEAD' }, [`s3:ListBucket ${B}`]],
  ['GetBucketLocation', '/bkt?location', {}, [`s3:GetBucketLocation ${B}`]],
  ['ListObjects', '/bkt', {}, [`s3:ListBucket ${B}`]],
  ['ListObjectsV2', '/bkt?list-type=2', {}, [`s3:ListBucket ${B}`]],
  ['ListObjectVersions', '/bkt?versions', {}, [`s3:ListBucketVersions ${B}`]],
  ['ListMultipartUploads', '/bkt?uploads', {}, [`s3:ListBucketMultipartUploads ${B}`]],
  ['PutObject', '/bkt/k', { method: 'PUT', body: 'x' }, [`s3:PutObject ${K}`]],
  [
    'PutObject with tags',
    '/bkt/k',
    { method: 'PUT', body: 'x', headers: { 'x-amz-tagging': 'a=b' } },
    [`s3:PutObject ${K}`, `s3:PutObjectTagging ${K}`],
  ],
  [
    'PutObject with an access list',
    '/bkt/k',
    { method: 'PUT', body: 'x', headers: { 'x-amz-acl': 'private' } },
    [`s3:PutObject ${K}`, `s3:PutObjectAcl ${K}`],
  ],
  [
    'PutObject with If-Match',
    '/bkt/k',
    { method: 'PUT', body: 'x', headers: { 'if-match': '"9dd4e461268c8034f5c8564e155c67a6"' } },
    [`s3:GetObject ${K}`, `s3:PutObject ${K}`],
  ],
  [
    'PutObject with If-None-Match: *',
    '/bkt/new-one',
    { method: 'PUT', body: 'x', headers: { 'if-none-match': '*' } },
    [`s3:PutObject ${B}/new-one`],
  ],
  ['GetObject', '/bkt/k', {}, [`s3:GetObject ${K}`]],
  ['HeadObject', '/bkt/k', { method: 'HEAD' }, [`s3:GetObject ${K}`]],
  ['GetObject by version', '/bkt/k?versionId=null', {}, [`s3:GetObjectVersion ${K}`]],
  [
    'GetObjectAttributes',
    '/bkt/k?attributes',
    { headers: { 'x-amz-object-attributes': 'ETag' } },
    [`s3:GetObject ${K}`, `s3:GetObjectAttributes ${K}`],
  ],
  [
    'GetObjectAttributes by version',
    '/bkt/k?attributes&versionId=null',
    { headers: { 'x-amz-object-attributes': 'ETag' } },
    [`s3:GetObjectVersion ${K}`, `s3:GetObjectVersionAttributes ${K}`],
  ],
  [
    'CopyObject',
    '/bkt/k',
    { method: 'PUT', headers: { 'x-amz-copy-source': '/src/k' } },
    ['s3:GetObject arn:aws:s3:::src/k', `s3:PutObject ${K}`],
  ],
  [
    'CopyObject whose tags travel',
    '/bkt/k',
    { method: 'PUT', headers: { 'x-amz-copy-source': 'src/tagged' } },
    [
      's3:GetObject arn:aws:s3:::src/tagged',
      's3:GetObjectTagging arn:aws:s3:::src/tagged',
      `s3:PutObject ${K}`,
      `s3:PutObjectTagging ${K}`,
    ],
  ],
  [
    'CopyObject whose tags are left behind',
    '/bkt/k',
    {
      method: 'PUT',
      headers: { 'x-amz-copy-source': 'src/tagged', 'x-amz-tagging-directive': 'REPLACE' },
    },
    ['s3:GetObject arn:aws:s3:::src/tagged', `s3:PutObject ${K}`],
  ],
  [
    'CopyObject from a version',
    '/bkt/k',
    { method: 'PUT', headers: { 'x-amz-copy-source': '/src%2Fk?versionId=null' } },
    ['s3:GetObjectVersion arn:aws:s3:::src/k', `s3:PutObject ${K}`],
  ],
  ['DeleteObject', '/bkt/gone', { method: 'DELETE' }, [`s3:DeleteObject ${B}/gone`]],
  [
    'DeleteObject by version',
    '/bkt/gone?versionId=null',
    { method: 'DELETE' },
    [`s3:DeleteObjectVersion ${B}/gone`],
  ],
  [
    'DeleteObjects',
    '/bkt?delete',
    { method: 'POST', body: deleteXml, headers: { 'content-md5': 'mbmxbaOTGF0NTP97fZ6shQ==' } },
    [`s3:DeleteObject ${B}/x`, `s3:DeleteObjectVersion ${B}/y`],
  ],
  ['CreateMultipartUpload', '/bkt/m?uploads', { method: 'POST' }, [`s3:PutObject ${B}/m`]],
  [
    'CreateMultipartUpload with tags',
    '/bkt/m?uploads',
    { method: 'POST', headers: { 'x-amz-tagging': 'a=b' } },
    [`s3:PutObject ${B}/m`, `s3:PutObjectTagging ${B}/m`],
  ],
  [
    'UploadPart',
    '/bkt/k?partNumber=1&uploadId=UP',
    { method: 'PUT', body: 'p' },
    [`s3:PutObject ${K}`],
  ],
  [
    'UploadPartCopy',
    '/bkt/k?partNumber=2&uploadId=UP',
    { method: 'PUT', headers: { 'x-amz-copy-source': 'src/k' } },
    ['s3:GetObject arn:aws:s3:::src/k', `s3:PutObject ${K}`],
  ],
  ['ListParts', '/bkt/k?uploadId=UP', {}, [`s3:ListMultipartUploadParts ${K}`]],
  [
    'CompleteMultipartUpload',
    '/bkt/k?uploadId=UP',
    { method: 'POST', body: '<CompleteMultipartUpload/>' },
    [`s3:PutObject ${K}`],
  ],
  [
    'AbortMultipartUpload',
    '/bkt/k?uploadId=UP',
    { method: 'DELETE' },
    [`s3:AbortMultipartUpload ${K}`],
  ],
  ['GetObjectTagging', '/bkt/k?tagging', {}, [`s3:GetObjectTagging ${K}`]],
  [
    'GetObjectTagging by version',
    '/bkt/k?tagging&versionId=null',
    {},
    [`s3:GetObjectVersionTagging ${K}`],
  ],
  [
    'PutObjectTagging',
    '/bkt/k?tagging',
    { method: 'PUT', body: taggingXml },
    [`s3:PutObjectTagging ${K}`],
  ],
  ['DeleteObjectTagging', '/bkt/k?tagging', { method: 'DELETE' }, [`s3:DeleteObjectTagging ${K}`]],
  [
    'DeleteObjectTagging by version',
    '/bkt/k?tagging&versionId=null',
    { method: 'DELETE' },
    [`s3:DeleteObjectVersionTagging ${K}`],
  ],
  ['GetBucketVersioning', '/bkt?versioning', {}, [`s3:GetBucketVersioning ${B}`]],
  [
    'PutBucketVersioning',
    '/ver?versioning',
    { method: 'PUT', body: versioningXml },
    ['s3:PutBucketVersioning arn:aws:s3:::ver'],
  ],
  ['GetBucketPolicy', '/bkt?policy', {}, [`s3:GetBucketPolicy ${B}`]],
  [
    'PutBucketPolicy',
    '/bkt?policy',
    { method: 'PUT', body: policyJson },
    [`s3:PutBucketPolicy ${B}`],
  ],
  ['GetBucketPolicyStatus', '/bkt?policyStatus', {}, [`s3:GetBucketPolicyStatus ${B}`]],
  ['DeleteBucketPolicy', '/bkt?policy', { method: 'DELETE' }, [`s3:DeleteBucketPolicy ${B}`]],
  ['GetBucketAcl', '/bkt?acl', {}, [`s3:GetBucketAcl ${B}`]],
  [
    'PutBucketAcl',
    '/bkt?acl',
    { method: 'PUT', headers: { 'x-amz-acl': 'private' } },
    [`s3:PutBucketAcl ${B}`],
  ],
  ['GetObjectAcl', '/bkt/k?acl', {}, [`s3:GetObjectAcl ${K}`]],
  ['PutObjectAcl', '/bkt/k?acl', { method: 'PUT' }, [`s3:PutObjectAcl ${K}`]],
  ['GetObjectRetention', '/bkt/k?retention', {}, [`s3:GetObjectRetention ${K}`]],
  ['GetObjectLegalHold', '/bkt/k?legal-hold', {}, [`s3:GetObjectLegalHold ${K}`]],
  ['accelerate', '/bkt?accelerate', {}, [`s3:GetAccelerateConfiguration ${B}`]],
  ['cors', '/bkt?cors', {}, [`s3:GetBucketCORS ${B}`]],
  ['encryption', '/bkt?encryption', {}, [`s3:GetEncryptionConfiguration ${B}`]],
  ['lifecycle', '/bkt?lifecycle', {}, [`s3:GetLifecycleConfiguration ${B}`]],
  ['logging', '/bkt?logging', {}, [`s3:GetBucketLogging ${B}`]],
  ['notification', '/bkt?notification', {}, [`s3:GetBucketNotification ${B}`]],
  ['object-lock', '/bkt?object-lock', {}, [`s3:GetBucketObjectLockConfiguration ${B}`]],
  ['ownershipControls', '/bkt?ownershipControls', {}, [`s3:GetBucketOwnershipControls ${B}`]],
  ['publicAccessBlock', '/bkt?publicAccessBlock', {}, [`s3:GetBucketPublicAccessBlock ${B}`]],
  ['replication', '/bkt?replication', {}, [`s3:GetReplicationConfiguration ${B}`]],
  ['requestPayment', '/bkt?requestPayment', {}, [`s3:GetBucketRequestPayment ${B}`]],
  ['bucket tagging', '/bkt?tagging', {}, [`s3:GetBucketTagging ${B}`]],
  ['website', '/bkt?website', {}, [`s3:GetBucketWebsite ${B}`]],
]

describe('permissions by operation (S3 surface, section 16)', () => {
  for (const [name, target, sent, expected] of table) {
    it(`${name} asks for exactly ${expected.map((one) => one.split(' ')[0]).join(' and ')}`, async () => {
      assert.deepEqual(await asked(target.replace('UP', uploadId), sent), [...expected].sort())
    })

    it(`${name} is refused and has no effect when any of that is denied`, async () => {
      for (const refused of expected) {
        if (name === 'DeleteObjects') continue
        kit.access.allows = (access) =>
          `${access.action} ${access.resource}` !== refused &&
          access.action !== 's3:GetBucketLocation' &&
          access.action !== 's3:ListBucket'
        const received = await kit.send(target.replace('UP', uploadId), sent)
        assert.equal(received.status, 403, refused)
        assert.equal(received.code, 'AccessDenied')
        if (/^(?:PutObject|UploadPart)/.test(name) && !name.endsWith('Tagging')) {
          assert.equal(received.proceeded, false, 'the body was asked for')
        }
        assert.equal(received.headers['x-daypass-decision-id'], 'decision-1')
      }
    })
  }

  it('asks for PutBucketAcl too when a bucket is made with an access list', async () => {
    const sent = { method: 'PUT', headers: { 'x-amz-acl': 'private' } }
    assert.deepEqual(await asked('/another', sent), [
      's3:CreateBucket arn:aws:s3:::another',
      's3:PutBucketAcl arn:aws:s3:::another',
    ])
  })

  it('refuses single keys inside a DeleteObjects that succeeds', async () => {
    kit.access.allows = ({ resource }) => !resource.endsWith('/x')
    const received = await kit.send('/bkt?delete', {
      method: 'POST',
      body: deleteXml,
      headers: { 'content-md5': 'mbmxbaOTGF0NTP97fZ6shQ==' },
    })
    assert.equal(received.status, 200)
    assert.match(received.text, /<Error><Key>x<\/Key><Code>AccessDenied<\/Code>/)
    assert.match(received.text, /<DecisionId>decision-1<\/DecisionId>/)
    assert.match(received.text, /<Deleted><Key>y<\/Key>/)
  })
})

describe('facts for conditions (IAM policy, section 5)', () => {
  async function factsOf(target: string, sent: Sent = {}, action?: string) {
    kit.access.take()
    await kit.send(target, sent)
    const found = kit.access.asked.find(
      (access) => action === undefined || access.action === action,
    )
    assert.ok(found?.s3)
    return found.s3
  }

  it('carries prefix and delimiter only as sent, max-keys always', async () => {
    const bare = await factsOf('/bkt?list-type=2')
    assert.equal('prefix' in bare, false)
    assert.equal('delimiter' in bare, false)
    assert.equal(bare['max-keys'], 1000)
    const sent = await factsOf('/bkt?prefix=&delimiter=%2F&max-keys=50')
    assert.equal(sent.prefix, '')
    assert.equal(sent.delimiter, '/')
    assert.equal(sent['max-keys'], 50)
  })

  it('says how the request is signed, and its age only for presigned ones', async () => {
    const facts = await factsOf('/bkt/k')
    assert.equal(facts.authType, 'REST-HEADER')
    assert.equal(facts.signatureversion, 'AWS4-HMAC-SHA256')
    assert.equal('signatureAge' in facts, false)
    assert.equal(facts.ResourceAccount, '000000000000')
    assert.match(facts.headers?.get('x-amz-content-sha256') ?? '', /^[0-9a-f]{64}$/)
    const anonymous = await factsOf('/bkt/k', { anonymous: true })
    assert.equal('authType' in anonymous, false)
    assert.equal('signatureversion' in anonymous, false)
  })

  it('knows the version that is asked for', async () => {
    assert.equal((await factsOf(`/ver/k?versionId=${version}`)).versionid, version)
  })

  it('says which writes make an object', async () => {
    const put = { method: 'PUT', body: 'x' }
    assert.equal((await factsOf('/bkt/k', put)).ObjectCreationOperation, true)
    assert.equal(
      (await factsOf('/bkt/k?uploads', { method: 'POST' })).ObjectCreationOperation,
      false,
    )
  })

  it('keeps write headers away from reads, and foreign names away from everything', async () => {
    const headers = {
      'x-amz-acl': 'private',
      'if-none-match': '"x"',
      'x-amz-storage-class': 'STANDARD',
    }
    const read = await factsOf('/bkt/k', { headers })
    assert.deepEqual([...(read.headers?.keys() ?? [])], ['x-amz-content-sha256'])
    const forged = {
      username: 'bob',
      groups: 'admins',
      sourceip: '10.0.0.1',
      'x-amz-tagging': 'cls=public',
    }
    const facts = await factsOf('/bkt/k', { headers: forged })
    assert.equal(facts.existingObjectTags, undefined)
    assert.equal(facts.requestObjectTags, undefined)
    const write = await factsOf('/bkt/k', {
      method: 'PUT',
      body: 'x',
      headers: { ...forged, 'x-amz-storage-class': 'STANDARD' },
    })
    assert.deepEqual([...(write.headers?.keys() ?? [])].sort(), [
      'x-amz-content-sha256',
      'x-amz-storage-class',
    ])
    assert.deepEqual([...(write.requestObjectTags ?? [])], [['cls', 'public']])
  })

  it('gives the copy source in one spelling, however it was encoded', async () => {
    for (const header of ['src/k', '/src/k', '%2Fsrc%2Fk', 'src/%6B']) {
      const sent = { method: 'PUT', headers: { 'x-amz-copy-source': header } }
      const facts = await factsOf('/bkt/k', sent, 's3:PutObject')
      assert.equal(facts.headers?.get('x-amz-copy-source'), '/src/k', header)
    }
  })

  it('does not fetch the stored tags unless a policy reads them', async () => {
    assert.equal((await factsOf('/src/tagged')).existingObjectTags, undefined)
  })

  it('judges a read by the tags of the object that is sent', async () => {
    kit.access.tags = true
    kit.access.allows = ({ s3 }) => s3?.existingObjectTags?.get('env') === 'test'
    assert.equal((await kit.send('/src/tagged')).status, 200)
    assert.equal((await kit.send('/src/k')).status, 403)
    assert.equal((await kit.send('/src/nothing')).status, 403)
  })

  it('judges a deletion by the tags of what would be lost', async () => {
    kit.access.tags = true
    kit.access.allows = ({ s3 }) => s3?.existingObjectTags?.get('env') !== 'test'
    assert.equal((await kit.send('/src/tagged', { method: 'DELETE' })).status, 403)
    assert.equal((await kit.send('/src/tagged', { method: 'PUT', body: 'x' })).status, 403)
    kit.access.allows = () => true
    assert.equal((await kit.send('/src/tagged')).text, 'source')
  })
})

describe('rows of the decision table that the face derives (IAM policy, section 13)', () => {
  const alice = {
    kind: 'user',
    account: '000000000000',
    arn: 'arn:aws:iam::000000000000:user/alice',
  } as const

  function allowedBy(...statements: readonly object[]) {
    const policy = parsePolicy(
      JSON.stringify({ Version: '2012-10-17', Statement: statements }),
      'identity',
    )
    kit.access.allows = (access: Access) =>
      policyAllows({
        principal: alice,
        accesses: [access],
        facts: { aws: { CurrentTime: new Date(), username: 'alice' } },
        identity: [{ name: 'p', policy }],
        ceilings: [],
      })
  }
  const allow = (Action: string, Resource: string) => ({
    Effect: 'Allow',
    Action,
    Resource: `arn:aws:s3:::${Resource}`,
  })

  it('107: GET of a version needs more than GetObject', async () => {
    allowedBy(allow('s3:GetObject', 'bkt/*'))
    assert.equal((await kit.send('/bkt/k?versionId=null')).status, 403)
    assert.equal((await kit.send('/bkt/k')).status, 200)
  })

  it('109: listing versions needs more than ListBucket', async () => {
    allowedBy(allow('s3:ListBucket', 'bkt'))
    assert.equal((await kit.send('/bkt?versions')).status, 403)
    assert.equal((await kit.send('/bkt')).status, 200)
  })

  it('110: DELETE of a version needs more than DeleteObject', async () => {
    allowedBy(allow('s3:DeleteObject', 'bkt/*'))
    assert.equal((await kit.send('/bkt/k?versionId=null', { method: 'DELETE' })).status, 403)
  })

  it('111 and 112: a copy needs both halves', async () => {
    const copy = { method: 'PUT', headers: { 'x-amz-copy-source': '/src/k' } }
    allowedBy(allow('s3:PutObject', 'bkt/*'))
    assert.equal((await kit.send('/bkt/copy', copy)).status, 403)
    allowedBy(allow('s3:PutObject', 'bkt/*'), allow('s3:GetObject', 'src/*'))
    assert.equal((await kit.send('/bkt/copy', copy)).status, 200)
  })

  it('113: tags on a PUT need PutObjectTagging', async () => {
    const put = { method: 'PUT', body: 'x', headers: { 'x-amz-tagging': 'env=test' } }
    allowedBy(allow('s3:PutObject', 'bkt/*'))
    assert.equal((await kit.send('/bkt/t', put)).status, 403)
    allowedBy(allow('s3:PutObject*', 'bkt/*'))
    assert.equal((await kit.send('/bkt/t', put)).status, 200)
  })

  it('114: ListBuckets shows the buckets that may be listed, and only those', async () => {
    allowedBy(allow('s3:ListBucket', 'bkt'))
    const received = await kit.send('/')
    assert.equal(received.status, 200)
    assert.deepEqual(textsOf(received.text, 'Name'), ['bkt'])
  })

  it('shows a bucket to who may locate it, and refuses when nothing is left', async () => {
    allowedBy(allow('s3:GetBucketLocation', 'src'))
    assert.deepEqual(textsOf((await kit.send('/')).text, 'Name'), ['src'])
    allowedBy(allow('s3:GetObject', '*'))
    const refused = await kit.send('/')
    assert.equal(refused.code, 'AccessDenied')
    assert.doesNotMatch(refused.text, /bkt/)
  })

  it('refuses anonymous ListBuckets even where a bucket is public', async () => {
    kit.access.allows = ({ action }) => action === 's3:ListBucket'
    assert.equal((await kit.send('/', { anonymous: true })).code, 'AccessDenied')
  })

  it('lets the canned readwrite do everything and readonly no writing', async () => {
    const readonly = cannedPolicies.get('readonly')
    assert.ok(readonly)
    allowedBy(allow('s3:GetObject', '*'), allow('s3:GetBucketLocation', '*'))
    assert.equal((await kit.send('/bkt/w', { method: 'PUT', body: 'x' })).status, 403)
  })
})

describe('existence (S3 surface, section 14)', () => {
  it('tells of a missing key only to who may list the bucket', async () => {
    for (const method of ['GET', 'HEAD']) {
      kit.access.allows = () => true
      assert.equal((await kit.send('/bkt/missing', { method })).code, 'NoSuchKey')
      kit.access.allows = ({ action }) => action !== 's3:ListBucket'
      assert.equal((await kit.send('/bkt/missing', { method })).code, 'AccessDenied')
      assert.equal((await kit.send('/bkt/missing?versionId=null', { method })).code, 'AccessDenied')
    }
    assert.equal((await kit.send('/bkt/missing?tagging')).code, 'AccessDenied')
    const copy = { method: 'PUT', headers: { 'x-amz-copy-source': 'src/missing' } }
    assert.equal((await kit.send('/bkt/x', copy)).code, 'AccessDenied')
  })

  it('tells of a missing bucket only to who has signed', async () => {
    assert.equal((await kit.send('/missing/k')).code, 'NoSuchBucket')
    kit.access.allows = () => false
    assert.equal((await kit.send('/missing/k', { anonymous: true })).code, 'AccessDenied')
    assert.equal((await kit.send('/missing', { anonymous: true })).code, 'AccessDenied')
  })

  it('meets the expected bucket owner or fails', async () => {
    const expected = (owner: string) => ({ headers: { 'x-amz-expected-bucket-owner': owner } })
    assert.equal((await kit.send('/bkt/k', expected('111111111111'))).code, 'AccessDenied')
    assert.equal((await kit.send('/bkt/k', expected('000000000000'))).status, 200)
  })
})
