import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, type ApiAnswer, type ClusterApi } from './api.ts'
import { Mirror, type Kind } from './mirror.ts'
import type { KubeObject } from './resources/object.ts'
import { until } from './testing/cluster-lab.ts'

type Watch = Readonly<{ path: string; tell(event: unknown): void; end(error?: Error): void }>

const kind: Kind = {
  group: 'sts.min.io',
  versions: ['v1beta1', 'v1alpha1'],
  plural: 'policybindings',
}
const object = (name: string, resourceVersion = '1', uid = name): KubeObject => ({
  metadata: { name, namespace: 'store', uid, resourceVersion },
})
const listOf = (items: readonly unknown[], resourceVersion = '10', next = ''): ApiAnswer => ({
  status: 200,
  text: JSON.stringify({ items, metadata: { resourceVersion, continue: next } }),
})
const missing: ApiAnswer = { status: 404, text: '404 page not found\n' }
const none = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

/** An API server that says what it is told to, and remembers what it was asked. */
function open(answer: (path: string) => ApiAnswer | Error) {
  const asked: string[] = []
  const watches: Watch[] = []
  const told: string[] = []
  const errors: unknown[] = []
  const held = new Set<string>()
  let shiftMs = 0
  let answerOf = answer
  const api: ClusterApi = {
    server: 'https://10.0.0.1',
    ca: undefined,
    async send(path) {
      asked.push(path)
      const given = answerOf(path)
      if (given instanceof Error) throw given
      return given
    },
    watch(path, { signal, opened, take }) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => reject(new Error('aborted')))
      const end = (error?: Error): void => (error ? reject(error) : resolve())
      opened()
      watches.push({
        path,
        end,
        tell(event) {
          try {
            take(JSON.stringify(event))
          } catch (error) {
            end(error as Error)
          }
        },
      })
      return promise
    },
    close: () => Promise.resolve(),
  }
  const mirror = new Mirror({
    api,
    kind,
    target: {
      put: ({ metadata }) => {
        told.push(`put ${metadata.name}`)
        held.add(metadata.name)
      },
      delete: (_, name) => {
        told.push(`delete ${name}`)
        held.delete(name)
      },
    },
    watchSeconds: 50,
    clock: () => new Date(Date.now() + shiftMs),
    random: () => 0,
    onError: (error) => errors.push(error),
    onAbsent: () => told.push('absent'),
  })
  const running = mirror.run()
  return {
    mirror,
    asked,
    watches,
    told,
    held,
    errors,
    pass: (ms: number) => (shiftMs += ms),
    answerWith: (next: typeof answer) => (answerOf = next),
    async close() {
      mirror.stop()
      await running
    },
  }
}

describe('a mirror of a kind', () => {
  let lab: ReturnType<typeof open>
  afterEach(() => lab.close())

  it('goes on from the last change when a watch breaks, without a new list', async () => {
    lab = open(() => listOf([object('a')]))
    await until('it watches', () => lab.watches.length === 1)
    lab.watches[0]?.tell({ type: 'ADDED', object: object('b', '11') })
    lab.watches[0]?.tell({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '20' } } })
    lab.watches[0]?.end(none)
    await until('it watches again', () => lab.watches.length === 2)
    assert.match(lab.watches[1]?.path ?? '', /resourceVersion=20&/)
    const { lists, breaks } = lab.mirror.status
    assert.deepEqual([lists, breaks], [1, 1])
    lab.watches[1]?.tell({ type: 'DELETED', object: object('a', '21') })
    assert.deepEqual(lab.told, ['put a', 'put b', 'delete a'])
  })

  it('lists anew when its place is forgotten, drops what is gone first and repeats nothing', async () => {
    lab = open(() => listOf([object('a'), object('b'), object('c')]))
    await until('it watches', () => lab.watches.length === 1)
    lab.answerWith(() =>
      listOf([object('b'), object('c', '15'), object('a', '16', 'another')], '30'),
    )
    lab.watches[0]?.tell({
      type: 'ERROR',
      object: { code: 410, reason: 'Expired', message: 'too old' },
    })
    await until('it watches again', () => lab.watches.length === 2)
    assert.deepEqual(lab.told.slice(3), ['put c', 'put a'])
    lab.answerWith(() => listOf([object('b')], '40'))
    lab.watches[1]?.tell({ type: 'ERROR', object: { code: 410 } })
    await until('it watches once more', () => lab.watches.length === 3)
    assert.deepEqual(lab.told.slice(5).toSorted(), ['delete a', 'delete c'])
  })

  it('takes pages together, and begins again when one of them is too late', async () => {
    let late = true
    lab = open((path) => {
      if (!path.includes('continue=')) return listOf([object('a')], '10', 'more')
      if (!late) return listOf([object('b')], '10')
      late = false
      return { status: 410, text: '{"reason":"Expired"}' }
    })
    await until('it watches', () => lab.watches.length === 1)
    assert.deepEqual(lab.told, ['put a', 'put b'])
    assert.equal(lab.mirror.status.synced, true)
  })

  it('takes smaller pages when objects are so large that a page is too long', async () => {
    const limitOf = (path: string) => Number(new URLSearchParams(path.split('?')[1]).get('limit'))
    const lab = open((path) =>
      limitOf(path) > 40 ? new RangeError('the answer is longer') : listOf([object('a')]),
    )
    await until('everything is read', () => lab.mirror.status.synced)
    assert.deepEqual(lab.asked.map(limitOf), [500, 125, 32])
    await lab.close()
  })

  it('drops nothing while a server that starts knows of no kind', async () => {
    lab = open(() => listOf([object('a')]))
    await until('it watches', () => lab.watches.length === 1)
    lab.answerWith(() => missing)
    lab.watches[0]?.end(new ApiError(404, 'NotFound', 'not found'))
    await until('it has asked again', () => lab.asked.length > 4)
    assert.deepEqual([...lab.held], ['a'])
    // Away in between: what was missing before that says nothing about now.
    lab.answerWith(() => none)
    const asked = lab.asked.length
    await until('it has asked again', () => lab.asked.length > asked)
    lab.pass(70_000)
    lab.answerWith(() => missing)
    const heard = lab.asked.length
    await until('it has heard so of every version', () => lab.asked.length > heard + 2)
    assert.deepEqual([...lab.held], ['a'])
    lab.pass(61_000)
    assert.notEqual(lab.errors.length, 0)
    await until('it is gone', () => lab.held.size === 0)
    assert.equal(lab.mirror.status.absent, true)
  })

  it('believes no first word that a kind is missing, and none of a server that is not ready', async () => {
    let ready = 500
    lab = open((path) => (path === '/readyz' ? { status: ready, text: '' } : missing))
    lab.pass(3000)
    await sleep(2600)
    assert.ok(lab.asked.includes('/readyz'))
    assert.equal(lab.mirror.status.synced, false)
    ready = 200
    await until('it is believed', () => lab.mirror.status.synced)
    assert.equal(lab.mirror.status.absent, true)
    // Nobody is alarmed by a kind that was never there, and it is told once.
    assert.deepEqual([lab.errors, lab.told], [[], ['absent']])
    assert.ok(lab.asked.some((path) => path.includes('/v1alpha1/')))
  })

  it('does not ask in a circle when an older version is the one that is served', async () => {
    lab = open((path) => (path.includes('/v1beta1/') ? missing : listOf([object('a')])))
    await until('it watches', () => lab.watches.length === 1)
    assert.match(lab.watches[0]?.path ?? '', /\/v1alpha1\//)
    lab.answerWith(() => none)
    lab.watches[0]?.tell({ type: 'ERROR', object: { code: 410 } })
    const asked = lab.asked.length
    await sleep(1500)
    assert.ok(lab.asked.length - asked < 6, `${lab.asked.length - asked} attempts`)
    assert.deepEqual([...lab.held], ['a'])
  })

  it('is not put out by what makes no sense', async () => {
    const broken: readonly ApiAnswer[] = [
      { status: 200, text: 'no json' },
      { status: 200, text: '[]' },
      { status: 200, text: '{"items":{}}' },
      { status: 500, text: '<html>' },
    ]
    let turn = 0
    lab = open(() => broken[turn++] ?? listOf([null, 7, {}, object('a')]))
    await until('it watches', () => lab.watches.length === 1)
    assert.deepEqual(lab.told, ['put a'])
    lab.watches[0]?.tell({ type: 'ADDED', object: { kind: 'x' } })
    await until('it watches again', () => lab.watches.length === 2)
    lab.watches[1]?.tell(null)
    lab.watches[1]?.tell({ type: 'SOMETHING', object: object('b') })
    assert.deepEqual([...lab.held], ['a'])
  })
})
