import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpRequest, HttpResponse } from './http.ts'
import { createRouter } from './router.ts'

const named = (name: string): HttpResponse => ({ status: 200, headers: {}, body: name })

const textOf = ({ body }: HttpResponse): string => (typeof body === 'string' ? body : '')
const pacedBody = (async function* () {})()

type Given = {
  sts?: boolean
  iam?: boolean
  bucket?: boolean | 'broken'
  places?: number
  unproven?: number
}

function router(given: Given = {}) {
  let free = given.places ?? 1
  let unproven = given.unproven ?? 1
  const face = (name: string, accepts = false) => ({
    accepts: () => accepts,
    handle: ({ body }: HttpRequest) =>
      Promise.resolve(named(body === pacedBody ? `${name}, paced` : name)),
  })
  const route = createRouter({
    sts: face('sts', given.sts),
    iam: face('iam', given.iam),
    minioAdmin: {
      ...face('minio admin'),
      accepts: ({ path }) => path.startsWith('/minio/admin/'),
    },
    s3: face('s3'),
    health: () => Promise.resolve(named('health')),
    addressesBucket: () =>
      given.bucket === 'broken'
        ? Promise.reject(new Error('the disk is gone'))
        : Promise.resolve(given.bucket === true),
    pace: () => pacedBody,
    enterAnonymous() {
      if (free === 0) return undefined
      free -= 1
      return () => {
        free += 1
      }
    },
    enterUnproven() {
      if (unproven === 0) return undefined
      unproven -= 1
      return () => {
        unproven += 1
      }
    },
  })
  return { route, free: () => free }
}

function request(change: Partial<HttpRequest> = {}): HttpRequest {
  return {
    id: '0123456789ABCDEF',
    method: 'POST',
    path: '/',
    query: '',
    headers: [],
    body: (async function* () {})(),
    source: '203.0.113.5',
    secure: false,
    receivedAt: new Date(),
    proceed: () => undefined,
    ...change,
  }
}

const signed = request({ headers: [['Authorization', 'AWS4-HMAC-SHA256 …']] })

describe('the router', () => {
  it('asks STS and IAM whether a request is theirs, and gives the rest to S3', async () => {
    assert.equal((await router({ sts: true }).route(signed)).body, 'sts, paced')
    assert.equal((await router({ iam: true, sts: true }).route(signed)).body, 'iam, paced')
    assert.equal((await router().route(signed)).body, 's3')
  })

  it('gives S3 whatever addresses a bucket that exists', async () => {
    assert.equal((await router({ sts: true, bucket: true }).route(signed)).body, 's3')
    assert.equal((await router({ iam: true, bucket: true }).route(signed)).body, 's3')
  })

  it("answers MinIO's health paths, and nothing near them", async () => {
    assert.equal((await router().route(request({ path: '/minio/health/live' }))).body, 'health')
    assert.equal((await router().route(request({ path: '/minio/health/live/' }))).body, 's3, paced')
  })

  it("leads to MinIO's administration what is of it, whatever else could be meant", async () => {
    const { route } = router({ sts: true, iam: true, bucket: true })
    const answer = await route(request({ method: 'GET', path: '/minio/admin/v3/info' }))
    assert.equal(textOf(answer), 'minio admin, paced')
  })

  it('refuses unsigned calls when there is no place, in the words of the face that was meant', async () => {
    const sts = await router({ sts: true, places: 0 }).route(request())
    assert.equal(sts.status, 503)
    assert.match(textOf(sts), /<Code>Throttling<\/Code>/)
    const s3 = await router({ places: 0 }).route(request({ method: 'GET' }))
    assert.match(textOf(s3), /<Code>SlowDown<\/Code>/)
    assert.equal(s3.headers['retry-after'], '1')
  })

  it('lets signed calls pass when there is no place for unsigned ones', async () => {
    assert.equal((await router({ sts: true, places: 0 }).route(signed)).body, 'sts, paced')
    const presigned = request({ method: 'GET', query: 'X-Amz-Signature=00' })
    assert.equal((await router({ places: 0 }).route(presigned)).body, 's3')
  })

  it('refuses signed forms when too many wait to be proven, and lets signed S3 requests pass', async () => {
    const full = router({ sts: true, unproven: 0 })
    assert.match(textOf(await full.route(signed)), /<Code>Throttling<\/Code>/)
    assert.match(textOf(await router({ iam: true, unproven: 0 }).route(signed)), /Throttling/)
    assert.equal((await router({ unproven: 0 }).route(signed)).body, 's3')
  })

  it('takes nothing for signed that only looks like it: no face would take it for that', async () => {
    const texts = ['x=X-Amz-Signature=', 'X-Amz-Signature', 'x=1&aX-Amz-Signature=00']
    for (const query of texts) {
      const answer = await router({ sts: true, places: 0 }).route(request({ query }))
      assert.equal(answer.status, 503, query)
    }
    const second = request({ query: 'x=1&X-Amz-Signature=00' })
    assert.equal((await router({ sts: true, places: 0 }).route(second)).body, 'sts, paced')
  })

  it('gives the place back when it cannot be told whose the call is', async () => {
    const { route, free } = router({ sts: true, bucket: 'broken' })
    await assert.rejects(route(request()), /the disk is gone/)
    assert.equal(free(), 1)
  })

  it('paces the bodies of whoever keeps a place while they are read', async () => {
    assert.equal((await router({ sts: true }).route(request())).body, 'sts, paced')
    assert.equal((await router().route(signed)).body, 's3')
    assert.equal((await router({ sts: true }).route(signed)).body, 'sts, paced')
  })

  it('gives the place back when the call is answered', async () => {
    const { route, free } = router({ sts: true })
    await route(request())
    await route(request())
    assert.equal(free(), 1)
  })
})
