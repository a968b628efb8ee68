import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import { parseCredential, verifyPostPolicySignature } from './index.ts'
import type { PostPolicySignature } from './index.ts'
import { hmac } from './signature.ts'
import { deriveSigningKey } from './signing-keys.ts'
import { example, mutations, refusal } from './testing/wire.ts'

const credential = `${example.accessKeyId}/20151229/us-east-1/s3/aws4_request`
const signingKey = deriveSigningKey(example.secret, parseCredential(credential).scope)
const policy = Buffer.from('{"expiration":"2015-12-30T12:00:00.000Z","conditions":[]}').toString(
  'base64',
)
const signature = hmac(signingKey, policy).toString('hex')
const form: PostPolicySignature = {
  policy,
  credential,
  date: '20151229T000000Z',
  signature,
  signingKey,
}

describe('S3 surface, section 6: the signature of a browser upload', () => {
  it('takes the policy that was signed', () => {
    assert.doesNotThrow(() => verifyPostPolicySignature(form))
  })

  it('refuses any changed character of policy or signature', () => {
    for (const other of mutations(policy)) {
      const changed = { ...form, policy: other }
      assert.throws(() => verifyPostPolicySignature(changed), refusal('signature_mismatch'))
    }
    for (const other of mutations(signature)) {
      const changed = { ...form, signature: other }
      assert.throws(() => verifyPostPolicySignature(changed), refusal('signature_mismatch'))
    }
  })

  it('refuses another secret, an empty policy, an empty signature', () => {
    const other = deriveSigningKey(new Secret('other'), parseCredential(credential).scope)
    for (const change of [{ signingKey: other }, { policy: '' }, { signature: '' }]) {
      const changed = { ...form, ...change }
      assert.throws(() => verifyPostPolicySignature(changed), refusal('signature_mismatch'))
    }
  })

  for (const change of [
    { credential: 'AKID' },
    { credential: credential.replace('/s3/', '/sts/') },
    { credential: credential.replace('aws4_request', 'aws4') },
    { date: '20151228T000000Z' },
    { date: '20151229' },
    { date: '' },
  ]) {
    it(`refuses ${JSON.stringify(change)}`, () => {
      const changed = { ...form, ...change }
      assert.throws(
        () => verifyPostPolicySignature(changed),
        refusal('malformed_form_authentication'),
      )
    })
  }
})

describe('credentials', () => {
  it('cuts from the right, for access key ids may hold slashes', () => {
    assert.deepEqual(parseCredential('a/b/c/20151229/us-east-1/s3/aws4_request'), {
      accessKeyId: 'a/b/c',
      scope: { date: '20151229', region: 'us-east-1', service: 's3' },
    })
  })

  for (const bad of [
    '',
    '/',
    '////',
    '/20151229/us-east-1/s3/aws4_request',
    `ä/20151229/us-east-1/s3/aws4_request`,
    'a b/20151229/us-east-1/s3/aws4_request',
  ]) {
    it(`refuses ${JSON.stringify(bad)}, by the code of its place`, () => {
      assert.throws(() => parseCredential(bad), refusal('malformed_form_authentication'))
      assert.throws(() => parseCredential(bad, 'header'), refusal('malformed_authorization_header'))
      assert.throws(() => parseCredential(bad, 'query'), refusal('malformed_authorization_query'))
    })
  }
})
