import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it, type TestContext } from 'node:test'
import type { AdminTarget, SessionsEnd } from '../../targets/index.ts'
import type { ApiRequest, ClusterApi } from '../api.ts'
import { ClusterDirectory } from '../directory.ts'
import type { KubeObject } from '../resources/object.ts'
import { Departures } from './departures.ts'
import { openSessionEnder } from './session-ender.ts'

/** One ConfigMap, with revisions; `isBroken`: it can be neither read nor written. */
class Store implements ClusterApi {
  readonly server = 'https://none'
  readonly ca = undefined
  data: Record<string, string> | undefined
  isBroken = false
  #revision = 0

  async send(_: string, { method = 'GET', body }: ApiRequest = {}) {
    if (this.isBroken) return { status: 403, text: '{}' }
    if (method === 'GET' && !this.data) return { status: 404, text: '{}' }
    if (method !== 'GET') {
      this.data = (body as { data: Record<string, string> }).data
      this.#revision += 1
    }
    const metadata = { resourceVersion: String(this.#revision) }
    return { status: 200, text: JSON.stringify({ metadata, data: this.data }) }
  }

  watch(): Promise<void> {
    return Promise.reject(new Error('nobody watches'))
  }

  async close(): Promise<void> {}
}

const credentialsSecretRef = { name: 'admin' }
const admin = { endpoint: 'https://store:9000', credentialsSecretRef }
const keys = { sessionKeysSecretRef: { name: 'keys' } }
const managed = { target: { gateway: { ...keys, admin } } }

function object(name: string, spec: unknown, generation = 1, namespace = 'store'): KubeObject {
  return { metadata: { name, namespace, uid: `uid-${name}`, generation }, spec }
}

const subjects = [{ namespace: 'shop', serviceAccount: 'web-*' }]
const binding = object('a', { subjects, policies: ['readonly'] })

type Options = Readonly<{
  store?: Store
  watched?: readonly string[]
  isLeader?: boolean
  isFresh?: boolean
}>

/** An operator in a cluster where there is nothing yet. */
function scene(t: TestContext, options: Options = {}) {
  const { store = new Store(), watched = [], isLeader = true, isFresh = true } = options
  const state = { isLeader, isFresh, isAway: false }
  const asked: (SessionsEnd & { tenant: string })[] = []
  const errors: string[] = []
  const clock = (): Date => new Date()
  const departures = new Departures(clock)
  const directory = new ClusterDirectory({
    homeCluster: 'local',
    clusterDomain: 'cluster.local',
    insecureHttpTenants: false,
    watchedNamespaces: watched,
    onChange: () => ender.touched(),
  })
  const ender = openSessionEnder({
    api: store,
    namespace: 'ours',
    homeCluster: 'local',
    directory,
    departures,
    keys: { read: () => Promise.resolve(undefined) },
    async endSessions({ tenant }: AdminTarget, end) {
      if (state.isAway) throw new Error('no connection')
      asked.push({ tenant, ...end })
    },
    isLeader: () => state.isLeader,
    isFresh: () => state.isFresh,
    staleAfterSeconds: 600,
    tokenCacheSeconds: 5,
    clock,
    random: () => 0,
    onError: (what) => errors.push(what),
  })
  t.after(() => ender.close())
  const [tenants, bindings] = [directory.targetFor('Tenant'), directory.targetFor('Binding')]
  return { state, store, asked, errors, departures, ender, tenants, bindings }
}

type Scene = ReturnType<typeof scene>

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!holds()) {
    assert.ok(Date.now() < deadline, 'waited in vain')
    await sleep(5)
  }
}

/** Long enough for a round, and for one that was about to begin. */
const settled = () => sleep(150)

async function served(t: TestContext, more?: Options): Promise<Scene> {
  const made = scene(t, more)
  made.tenants.put(object('main', managed))
  made.bindings.put(binding)
  await until(() => made.store.data?.['store.main']?.includes('Binding/store/a') === true)
  return made
}

const whoseOf = ({ asked }: Scene) => asked.map(({ whose }) => whose.kind)

describe('ending sessions at gateway tenants', () => {
  it('ends what a deleted binding gave, and forgets it', async (t) => {
    const made = await served(t)
    made.bindings.delete('store', 'a')
    await until(() => made.asked.length === 1)
    const [{ tenant, whose } = assert.fail()] = made.asked
    assert.deepEqual(
      [tenant, whose],
      ['store/main', { kind: 'binding', id: 'daypass.dev/Binding/store/a' }],
    )
    await until(() => made.store.data?.['store.main']?.includes('Binding/store/a') === false)
  })

  it('believes nothing to be gone while the cluster is not known', async (t) => {
    const { store } = await served(t)
    const next = scene(t, { store, isFresh: false })
    await settled()
    assert.deepEqual(next.asked, [])
    next.tenants.put(object('main', managed))
    next.bindings.put(binding)
    next.state.isFresh = true
    next.ender.touched()
    await settled()
    assert.deepEqual(next.asked, [], 'it was there all the time')
  })

  it('leaves it to the leader, and goes on when it leads', async (t) => {
    const first = await served(t)
    const second = scene(t, { store: first.store, isLeader: false })
    second.tenants.put(object('main', managed))
    second.bindings.put(binding)
    second.bindings.put(object('b', { subjects, policies: ['readonly'] }))
    second.departures.target.put(object('web-1', undefined, 1, 'shop'))
    second.departures.target.delete('shop', 'web-1')
    second.bindings.delete('store', 'a')
    await settled()
    assert.deepEqual(second.asked, [])
    second.state.isLeader = true
    await until(() => second.asked.length === 2)
    assert.deepEqual(whoseOf(second).toSorted(), ['account', 'binding'])
  })

  it('asks again while the tenant is away, and not in a circle', async (t) => {
    const made = await served(t)
    made.state.isAway = true
    made.bindings.delete('store', 'a')
    await until(() => made.ender.status().failed >= 2)
    assert.ok(made.ender.status().failed < 5)
    assert.equal(made.ender.status().pending, 1)
    assert.ok(made.store.data?.['store.main']?.includes('Binding/store/a'))
    made.state.isAway = false
    await until(() => made.asked.length === 1)
    assert.match(made.errors[0] ?? '', /tenant store\/main has not ended/)
  })

  it('ends everything of a tenant that is deleted or turned to another target', async (t) => {
    const gone = await served(t)
    gone.tenants.delete('store', 'main')
    await until(() => gone.asked.length > 0)
    assert.deepEqual(whoseOf(gone), ['everybody'])
    await until(() => Object.keys(gone.store.data ?? {}).length === 0)
    const turned = await served(t)
    const assumeRole = { endpoint: 'https://minio', credentialsSecretRef }
    turned.tenants.put(object('main', { target: { assumeRole } }, 2))
    await until(() => turned.asked.length > 0)
    assert.deepEqual(whoseOf(turned), ['everybody'])
  })

  it('looks after a tenant that is not valid as it was, and no longer after one without admin', async (t) => {
    const invalid = await served(t)
    invalid.tenants.put(object('main', { ...managed, ceilng: {} }, 2))
    await settled()
    assert.deepEqual(invalid.asked, [])
    invalid.bindings.delete('store', 'a')
    await until(() => invalid.asked.length === 1)
    const left = await served(t)
    left.tenants.put(object('main', { target: { gateway: keys } }, 2))
    left.bindings.delete('store', 'a')
    await until(() => Object.keys(left.store.data ?? {}).length === 0)
    await settled()
    assert.deepEqual(left.asked, [])
  })

  it('leaves tenants in peace that others watch', async (t) => {
    const { store } = await served(t)
    const other = scene(t, { store, watched: ['elsewhere'] })
    other.tenants.put(object('own', managed, 1, 'elsewhere'))
    await until(() => store.data?.['elsewhere.own'] !== undefined)
    assert.ok(store.data?.['store.main'])
    assert.deepEqual(other.asked, [])
  })

  it('ends what a service account got where a binding may have fitted it, and nowhere else', async (t) => {
    const made = await served(t)
    for (const name of ['web-1', 'other']) {
      made.departures.target.put(object(name, undefined, 1, 'shop'))
      made.departures.target.delete('shop', name)
    }
    await until(() => made.asked.length > 0)
    await settled()
    const subject = 'system:serviceaccount:shop:web-1'
    assert.deepEqual(
      made.asked.map(({ whose }) => whose),
      [{ kind: 'account', provider: 'local', subject }],
    )
  })

  it('ends what goes from now on when its record cannot be had, and says so once', async (t) => {
    const store = new Store()
    store.isBroken = true
    const made = scene(t, { store })
    made.tenants.put(object('main', managed))
    made.bindings.put(binding)
    await settled()
    made.bindings.delete('store', 'a')
    await until(() => made.asked.length === 1)
    assert.equal(made.errors.length, 1)
    assert.match(made.errors[0] ?? '', /reading what was served/)
  })
})
