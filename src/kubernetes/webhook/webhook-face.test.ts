import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpRequest, HttpResponse } from '../../http.ts'
import { ClusterDirectory } from '../directory.ts'
import { createWebhookFace, type WebhookOptions } from './webhook-face.ts'

const uid = '705ab4f5-6393-11e8-b7cc-42010a800002'
const good = { subjects: [{ namespace: 'apps', serviceAccount: 'web' }], policies: ['readonly'] }
const objectOf = (spec: unknown, kind = 'Binding') => ({
  apiVersion: 'daypass.dev/v1',
  kind,
  metadata: { name: 'it', namespace: 'shop' },
  ...(spec !== undefined && { spec }),
})

type Wishes = Readonly<Record<string, unknown>>

const reviewOf = (wishes: Wishes = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid,
    kind: { group: 'daypass.dev', version: 'v1', kind: 'Binding' },
    operation: 'CREATE',
    namespace: 'shop',
    name: 'it',
    object: objectOf(good),
    dryRun: true,
    ...wishes,
  },
})

async function* piecesOf(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  yield Buffer.from(text)
}

function requestOf(body: string | Uint8Array, wishes: Partial<HttpRequest> = {}): HttpRequest {
  return {
    id: '0123456789ABCDEF',
    method: 'POST',
    path: '/validate',
    query: 'timeout=10s',
    headers: [['Content-Type', 'application/json']],
    body: piecesOf(body),
    source: '127.0.0.1',
    secure: true,
    receivedAt: new Date(),
    proceed: () => undefined,
    ...wishes,
  }
}

const emptyDirectory = () =>
  new ClusterDirectory({
    homeCluster: 'local',
    clusterDomain: 'cluster.local',
    insecureHttpTenants: false,
    watchedNamespaces: [],
    onChange: () => undefined,
  })

const faceOf = (wishes: Partial<WebhookOptions> = {}) =>
  createWebhookFace({
    directory: emptyDirectory(),
    isFresh: () => true,
    homeCluster: 'local',
    clusters: ['local'],
    labelSelectors: true,
    onError: (what, error) => assert.fail(`${what}: ${String(error)}`),
    ...wishes,
  })

type Answer = Readonly<{
  uid: string
  allowed: boolean
  status?: Readonly<{ code: number; message: string }>
  warnings?: readonly string[]
}>

function textOf(body: HttpResponse['body']): string {
  assert.ok(typeof body === 'string')
  return body
}

function answerOf({ status, body }: HttpResponse): Answer {
  assert.equal(status, 200)
  const review = JSON.parse(textOf(body)) as Readonly<{ apiVersion: string; response: Answer }>
  assert.equal(review.apiVersion, 'admission.k8s.io/v1')
  assert.equal(review.response.uid, uid)
  return review.response
}

const ask = async (wishes: Wishes, options: Partial<WebhookOptions> = {}): Promise<Answer> =>
  answerOf(await faceOf(options)(requestOf(JSON.stringify(reviewOf(wishes)))))

describe('admission', () => {
  it('admits what is sound, with the same uid', async () => {
    const answer = await ask({})
    assert.equal(answer.allowed, true)
    assert.equal(answer.status, undefined)
  })

  it('refuses what could not count, with all that is wrong with it', async () => {
    const spec = { subjects: [{ namespace: 'A', serviceAccount: '/' }] }
    const { allowed, status } = await ask({ object: objectOf(spec) })
    assert.equal(allowed, false)
    assert.equal(status?.code, 422)
    for (const part of [/subjects\.0\.namespace/, /subjects\.0\.serviceAccount/, /binds nothing/]) {
      assert.match(status.message, part)
    }
  })

  it('refuses an object without spec, or none at all', async () => {
    for (const object of [objectOf(undefined), undefined, null, 'x', []]) {
      assert.equal((await ask({ object })).allowed, false)
    }
  })

  it('warns of what was probably not meant', async () => {
    const { allowed, warnings } = await ask({})
    assert.equal(allowed, true)
    assert.match(warnings?.join() ?? '', /there is no tenant in namespace shop/)
  })

  it('lets what stands there already be changed in all but its spec, with a warning', async () => {
    const broken = objectOf({ subjects: [] })
    const same = await ask({ operation: 'UPDATE', object: broken, oldObject: broken })
    assert.equal(same.allowed, true)
    assert.match(same.warnings?.join() ?? '', /binds nothing/)
    const worse = objectOf({ subjects: [], policies: ['x'] })
    const other = await ask({ operation: 'UPDATE', object: worse, oldObject: broken })
    assert.equal(other.allowed, false)
  })

  it('lets everything be deleted, sound or not', async () => {
    for (const oldObject of [objectOf(good), objectOf(undefined), undefined]) {
      assert.equal((await ask({ operation: 'DELETE', object: null, oldObject })).allowed, true)
    }
  })

  it('judges no other kind, and no status', async () => {
    const kind = { group: 'minio.min.io', version: 'v2', kind: 'Tenant' }
    assert.equal((await ask({ kind, object: {} })).allowed, true)
    assert.equal((await ask({ subResource: 'status', object: {} })).allowed, true)
  })

  it('takes the name that is still to be made, and the namespace of the request', async () => {
    const object = { ...objectOf(good), metadata: { generateName: 'made-' } }
    assert.equal((await ask({ name: undefined, object })).allowed, true)
    assert.equal(
      (await ask({ name: undefined, object: { ...object, metadata: {} } })).allowed,
      false,
    )
  })

  it('looks at the resource alone, and says so, while the cluster is not known', async () => {
    const alone = await ask({}, { isFresh: () => false })
    assert.equal(alone.allowed, true)
    assert.deepEqual(alone.warnings, [
      'was looked at by itself alone: what else is in the cluster is not known now',
    ])
    const bad = await ask({ object: objectOf(undefined) }, { isFresh: () => false })
    assert.equal(bad.allowed, false)
  })

  it('does the same when something of ours fails, and tells the log', async () => {
    const directory = emptyDirectory()
    directory.findTenants = () => {
      throw new Error('a fault')
    }
    const errors: unknown[] = []
    const onError = (_what: string, error: unknown) => errors.push(error)
    const answer = await ask({}, { directory, onError })
    assert.equal(answer.allowed, true)
    assert.match(answer.warnings?.join() ?? '', /by itself alone/)
    assert.match(String(errors), /a fault/)
  })

  it('keeps warnings short and few', async () => {
    const subjects = Array.from({ length: 100 }, () => ({
      namespace: `${'a'.repeat(60)}.b`,
      serviceAccount: 'x'.repeat(250),
    }))
    const { warnings = [] } = await ask({ object: objectOf({ ...good, subjects }) })
    assert.ok(warnings.length <= 16)
    assert.ok(warnings.join('').length <= 4096)
  })
})

describe('what is no question of admission', () => {
  const refused: readonly (readonly [string, string, Partial<HttpRequest>, number])[] = [
    ['another path', '{}', { path: '/' }, 404],
    ['another method', '{}', { method: 'GET' }, 405],
    [
      'another content type',
      JSON.stringify(reviewOf()),
      { headers: [['content-type', 'text/yaml']] },
      400,
    ],
    ['no content type', JSON.stringify(reviewOf()), { headers: [] }, 400],
    ['no JSON', '{', {}, 400],
    ['an empty body', '', {}, 400],
    ['JSON of something else', '[1]', {}, 400],
    [
      'another version',
      JSON.stringify({ ...reviewOf(), apiVersion: 'admission.k8s.io/v1beta1' }),
      {},
      400,
    ],
    ['no uid', JSON.stringify(reviewOf({ uid: '' })), {}, 400],
    ['no operation', JSON.stringify(reviewOf({ operation: 'CONNECT' })), {}, 400],
    ['no kind', JSON.stringify(reviewOf({ kind: undefined })), {}, 400],
    ['five megabytes', ' '.repeat(5 * 1024 * 1024), {}, 413],
  ]
  for (const [title, body, wishes, status] of refused) {
    it(`is refused: ${title}`, async () => {
      const answer = await faceOf()(requestOf(body, wishes))
      assert.equal(answer.status, status)
      assert.equal(answer.close, true)
      assert.doesNotMatch(textOf(answer.body), /"allowed"/)
    })
  }

  it('is refused: text that is no UTF-8', async () => {
    const answer = await faceOf()(requestOf(Buffer.from([0xff, 0xfe, 0x7b])))
    assert.equal(answer.status, 400)
  })

  it('is refused: a body that does not come, after the time that the API server gives', async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{')
      await new Promise(() => undefined)
    }
    const answer = await faceOf()(requestOf('', { body: silent(), query: 'timeout=1s' }))
    assert.equal(answer.status, 400)
  })

  it('is refused: a client that goes away', async () => {
    const next = () => Promise.reject(new Error('aborted'))
    const broken = { [Symbol.asyncIterator]: () => ({ next }) }
    assert.equal((await faceOf()(requestOf('', { body: broken }))).status, 400)
  })
})
