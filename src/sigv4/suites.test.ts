import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import { canonicalParts, canonicalRequest, stringToSign } from './canonical-request.ts'
import { hmac } from './signature.ts'
import { deriveSigningKey } from './signing-keys.ts'
import { SigV4Error } from './index.ts'
import type { Expectation, WireRequest } from './index.ts'
import { UnknownKey, headerMutations, mutations, onTheWire, refusal } from './testing/wire.ts'
import { verify, wire } from './testing/wire.ts'
import type { Headers, Holder } from './testing/wire.ts'

type CaseRequest = { method: string; target: string; headers: [string, string][]; body: string }
type Expected = { canonicalRequest: string; stringToSign: string; signature: string }
type Case = {
  id: string
  request: CaseRequest
  normalizePath: boolean
  sessionToken?: string
  tokenSigned?: boolean
}
type HeaderCase = Case & Expected & { authorization: string }
type BothCase = Case & {
  expiresSeconds: number
  header: Expected & { signedRequest: CaseRequest }
  query: Expected & { signedRequest: CaseRequest }
}
type Suite<C> = {
  credentials: { accessKeyId: string; secretAccessKey: string }
  timestamp: string
  region: string
  service: string
  count: number
  cases: C[]
}

const folder = new URL('../../../shared/vectors/sigv4/', import.meta.url)
const skip = existsSync(folder) ? false : `the SigV4 vectors are not at ${folder.pathname}`

function load<C>(name: string): Suite<C> {
  if (skip)
    return {
      credentials: { accessKeyId: '', secretAccessKey: '' },
      timestamp: '',
      region: '',
      service: '',
      count: 0,
      cases: [],
    }
  const suite: Suite<C> = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
  assert.equal(suite.cases.length, suite.count)
  return suite
}

function holderOf(suite: Suite<unknown>): Holder {
  const { accessKeyId, secretAccessKey } = suite.credentials
  return { accessKeyId, secret: new Secret(secretAccessKey) }
}

function expectationOf(suite: Suite<unknown>, secondsLater = 0): Expectation {
  const now = new Date(Date.parse(suite.timestamp) + secondsLater * 1000)
  return { services: [suite.service], region: suite.region, now }
}

function wireOf(request: CaseRequest): WireRequest {
  const headers = request.headers.map(([name, value]) => [name, onTheWire(value)] as const)
  return wire(request.method, onTheWire(request.target), headers)
}

// S3 never normalises, so the cases of the generic rule that change their path are not ours.
function isOurs(vector: Case): boolean {
  const path = vector.request.target.split('?', 1).join('')
  return !vector.normalizePath || !/\/\/|\/\.\.?(?:\/|$)/.test(path)
}

function assertCanonical(suite: Suite<unknown>, request: WireRequest, expected: Expected): void {
  const lines = expected.canonicalRequest.split('\n')
  const scope = {
    date: suite.timestamp.slice(0, 10).replaceAll('-', ''),
    region: suite.region,
    service: suite.service,
  }
  const timestamp = expected.stringToSign.split('\n')[1] ?? ''
  const signedHeaders = (lines.at(-2) ?? '').split(';')
  const parts = canonicalParts(request, signedHeaders, lines.at(-1) ?? '', 'X-Amz-Signature')
  const canonical = canonicalRequest(parts)
  assert.equal(canonical, onTheWire(expected.canonicalRequest))
  const text = stringToSign(timestamp, scope, canonical)
  assert.equal(text, expected.stringToSign)
  const signature = hmac(deriveSigningKey(holderOf(suite).secret, scope), text).toString('hex')
  assert.equal(signature, expected.signature)
}

function* requestMutations(
  request: WireRequest,
  signedHeaders: readonly string[],
): Generator<WireRequest> {
  for (const method of mutations(request.method)) yield { ...request, method }
  for (const path of mutations(request.path)) yield { ...request, path }
  for (const query of mutations(request.query)) yield { ...request, query }
  const names = [...signedHeaders, 'authorization']
  for (const headers of headerMutations(request.headers, names)) yield { ...request, headers }
}

function assertEveryMutationRefused(
  request: WireRequest,
  body: string,
  holder: Holder,
  expect: Expectation,
): void {
  const { signedHeaders } = verify(request, holder, expect, body).authentication
  const isRefused = (error: unknown) => error instanceof SigV4Error || error instanceof UnknownKey
  for (const mutated of requestMutations(request, signedHeaders)) {
    assert.throws(() => verify(mutated, holder, expect, body), isRefused, JSON.stringify(mutated))
  }
  for (const mutated of mutations(body)) {
    assert.throws(() => verify(request, holder, expect, mutated), isRefused)
  }
}

describe('botocore aws4_testsuite', { skip }, () => {
  const suite = load<HeaderCase>('aws4_testsuite.json')
  const holder = holderOf(suite)

  function signedRequest(vector: HeaderCase): WireRequest {
    const request = wireOf(vector.request)
    const isTokenSent = request.headers.some(([name]) => /^x-amz-security-token$/i.test(name))
    const token: Headers =
      vector.sessionToken === undefined || isTokenSent
        ? []
        : [['X-Amz-Security-Token', vector.sessionToken]]
    const authorization = ['Authorization', vector.authorization] as const
    return { ...request, headers: [...request.headers, ...token, authorization] }
  }

  for (const vector of suite.cases.filter(isOurs)) {
    const { body } = vector.request
    it(`${vector.id}: makes the same canonical request, string to sign and signature`, () => {
      assertCanonical(suite, signedRequest(vector), vector)
    })

    if (vector.tokenSigned === false) {
      it(`${vector.id}: refuses a session token that is not signed`, () => {
        const request = signedRequest(vector)
        assert.throws(
          () => verify(request, holder, expectationOf(suite), body),
          refusal('unsigned_headers'),
        )
      })
      continue
    }
    it(`${vector.id}: accepts the signed request for 15 minutes, no longer`, () => {
      const request = signedRequest(vector)
      verify(request, holder, expectationOf(suite), body)
      verify(request, holder, expectationOf(suite, 300), body)
      verify(request, holder, expectationOf(suite, 900), body)
      verify(request, holder, expectationOf(suite, -900), body)
      for (const seconds of [901, -901]) {
        const late = expectationOf(suite, seconds)
        assert.throws(() => verify(request, holder, late, body), refusal('skewed'))
      }
    })
    it(`${vector.id}: refuses it with any character changed`, () => {
      assertEveryMutationRefused(signedRequest(vector), body, holder, expectationOf(suite))
    })
  }
})

describe('aws-c-auth aws-signing-test-suite v4', { skip }, () => {
  const suite = load<BothCase>('aws_signing_test_suite_v4.json')
  const holder = holderOf(suite)

  for (const vector of suite.cases.filter(isOurs)) {
    const { body } = vector.request
    for (const form of ['header', 'query'] as const) {
      const request = wireOf(vector[form].signedRequest)
      it(`${vector.id}, ${form}: makes the same canonical request, string to sign and signature`, () => {
        const unsignedToken = vector.tokenSigned === false && form === 'query'
        const query = request.query.replace(/&?X-Amz-Security-Token=[^&]*/, '')
        assertCanonical(suite, unsignedToken ? { ...request, query } : request, vector[form])
      })

      if (vector.tokenSigned === false) {
        it(`${vector.id}, ${form}: refuses a session token that is not signed`, () => {
          assert.throws(
            () => verify(request, holder, expectationOf(suite), body),
            refusal(form === 'header' ? 'unsigned_headers' : 'signature_mismatch'),
          )
        })
        continue
      }
      it(`${vector.id}, ${form}: refuses it with any character changed`, () => {
        assertEveryMutationRefused(request, body, holder, expectationOf(suite))
      })
    }

    if (vector.tokenSigned === false) continue
    it(`${vector.id}: accepts the presigned form until it expires, no longer`, () => {
      const request = wireOf(vector.query.signedRequest)
      verify(request, holder, expectationOf(suite, -900), body)
      verify(request, holder, expectationOf(suite, vector.expiresSeconds), body)
      const late = expectationOf(suite, vector.expiresSeconds + 1)
      assert.throws(() => verify(request, holder, late, body), refusal('presigned_expired'))
      const early = expectationOf(suite, -901)
      assert.throws(() => verify(request, holder, early, body), refusal('not_yet_valid'))
    })
    it(`${vector.id}: accepts the header form 5 minutes later, not after 15`, () => {
      const request = wireOf(vector.header.signedRequest)
      verify(request, holder, expectationOf(suite, 300), body)
      const late = expectationOf(suite, 901)
      assert.throws(() => verify(request, holder, late, body), refusal('skewed'))
    })
  }
})
