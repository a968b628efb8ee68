import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKube, type KubeLab, type KubeObject } from '../../test/labs/kube-lab.ts'
import { openClusterApi, type ClusterApi } from './api.ts'
import { openLease, type Lease } from './lease.ts'
import { openStatusWriter, type StatusWriter } from './status.ts'
import {
  binding,
  install,
  openReplica,
  policyBinding,
  readCrd,
  tenant,
  until,
  type Replica,
} from './testing/cluster-lab.ts'

type Status = Readonly<{
  conditions?: readonly Readonly<Record<string, unknown>>[]
  [name: string]: unknown
}>
type Writing = Replica & Readonly<{ writer: StatusWriter; leads: { now: boolean } }>

describe('the status of resources, and who writes it, on a real API server', () => {
  let lab: KubeLab | string
  let leader: Writing
  let other: Writing
  let takeover: Promise<Readonly<{ both: number; first: boolean; second: boolean }>>

  before(async () => {
    lab = await startKube()
    if (typeof lab === 'string') return
    const kinds = ['bindings', 'tenants', 'policies', 'policybindings']
    await Promise.all(kinds.map((plural) => install(server(), readCrd(plural))))
    for (const name of ['store', 'strict', 'elsewhere', 'shop']) await lab.createNamespace(name)
    await lab.createServiceAccount('shop', 'web')
    await lab.createServiceAccount('shop', 'job')
    takeover = dieAndTakeOver(lab)
    takeover.catch(() => undefined)
    leader = await openWriter(lab, true)
    other = await openWriter(lab, false)
    await until('both are fresh', () => leader.isFresh() && other.isFresh())
  })
  after(async () => {
    if (typeof lab === 'string') return
    for (const each of [leader, other]) {
      await each.writer.close()
      await each.close()
    }
    await lab.down()
  })

  const server = (): KubeLab => {
    if (typeof lab === 'string') throw new Error(lab)
    return lab
  }
  const test = (title: string, run: () => Promise<void>): void => {
    it(title, (t) => (typeof lab === 'string' ? t.skip(lab) : run()))
  }
  const read = async (plural: string, namespace: string, name: string): Promise<Status> => {
    const group = plural === 'policybindings' ? 'sts.min.io/v1beta1' : 'daypass.dev/v1'
    const { body } = await server().ask(`/apis/${group}/namespaces/${namespace}/${plural}/${name}`)
    return (body['status'] ?? {}) as Status
  }
  const ready = (status: Status) => status.conditions?.find(({ type }) => type === 'Ready')
  const becomes = async (plural: string, namespace: string, name: string, reason: string) => {
    let seen: Status = {}
    await until(`${namespace}/${name} is ${reason}`, async () => {
      seen = await read(plural, namespace, name)
      return ready(seen)?.['reason'] === reason
    })
    return seen
  }
  const stateIs = (name: string, state: string) =>
    until(`${name} says ${state}`, async () =>
      String((await read('policybindings', 'store', name))['currentState']).startsWith(state),
    )
  const apply = (plural: string, object: KubeObject) => server().apply(plural, object)

  test('says of each binding whether it counts, and why not', async () => {
    await apply('tenants', tenant('store', 'main'))
    await apply('tenants', tenant('strict', 'main', { policySource: 'resources' }))
    await apply(
      'bindings',
      binding('store', 'good', { subjects: [{ namespace: 'sh*', serviceAccount: '*' }] }),
    )
    await apply('bindings', binding('store', 'nowhere', { tenant: 'second' }))
    await apply('bindings', binding('store', 'role', { roleArn: 'arn:aws:iam::1:role/x' }))
    await apply(
      'bindings',
      binding('store', 'wrong', {
        inline: [{ Version: '2012-10-17', Statement: [{ Effect: 'Maybe' }] }],
      }),
    )
    await apply('bindings', binding('strict', 'policy', { policies: ['team', 'readonly'] }))
    await apply('policybindings', policyBinding('store', 'old'))
    await apply('policybindings', policyBinding('elsewhere', 'lost'))
    const good = await becomes('bindings', 'store', 'good', 'Bound')
    // web, job and the default one of namespace shop
    assert.equal(good['matchedServiceAccounts'], 3)
    assert.equal(good['observedGeneration'], 1)
    assert.equal(ready(good)?.['status'], 'True')
    assert.match(String(ready(good)?.['lastTransitionTime']), /^20.*Z$/)
    await becomes('bindings', 'store', 'nowhere', 'UnknownTenant')
    await becomes('bindings', 'store', 'role', 'NoRoles')
    const wrong = ready(await becomes('bindings', 'store', 'wrong', 'Invalid'))
    assert.match(String(wrong?.['message']), /^spec\.inline\.0 /)
    const strict = ready(await becomes('bindings', 'strict', 'policy', 'UnknownPolicy'))
    assert.match(String(strict?.['message']), /no Policy resource team, readonly;/)
    await becomes('tenants', 'store', 'main', 'Served')
    await stateIs('old', 'Ready')
    await until('the lost one says so', async () =>
      String((await read('policybindings', 'elsewhere', 'lost'))['currentState']).startsWith(
        'UnknownTenant',
      ),
    )
  })

  test('follows what a binding depends on', async () => {
    const allow = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }
    const document = { Version: '2012-10-17', Statement: [allow] }
    const policy = (name: string, spec: object): KubeObject => ({
      apiVersion: 'daypass.dev/v1',
      kind: 'Policy',
      metadata: { name, namespace: 'strict' },
      spec: { document: spec },
    })
    await apply('policies', policy('team', document))
    await apply('policies', policy('readonly', document))
    const bound = await becomes('bindings', 'strict', 'policy', 'Bound')
    assert.equal(ready(bound)?.['observedGeneration'], 1)
    await apply('policies', policy('team', { Version: '1999-01-01', Statement: [] }))
    const broken = ready(await becomes('bindings', 'strict', 'policy', 'UnknownPolicy'))
    assert.match(String(broken?.['message']), /Policy resource team is not valid/)
    await becomes('policies', 'strict', 'team', 'Invalid')
    await apply('bindings', binding('store', 'nowhere', { tenant: 'main' }))
    const found = await becomes('bindings', 'store', 'nowhere', 'Bound')
    assert.equal(found['observedGeneration'], 2)
  })

  test('says of any replica what a tenant was found not to have, until a binding gives again', async () => {
    const id = 'daypass.dev/Binding/store/good'
    other.writer.missing(id, 'not-named-by-it')
    other.writer.missing('daypass.dev/Binding/store/none', 'readonly')
    other.writer.missing(id, 'readonly')
    other.writer.missing('sts.min.io/PolicyBinding/store/old', 'readonly')
    const status = await becomes('bindings', 'store', 'good', 'UnknownPolicy')
    assert.equal(ready(status)?.['status'], 'False')
    assert.match(
      String(ready(status)?.['message']),
      /^The tenant has no policy readonly; nothing is given/,
    )
    assert.equal(status['matchedServiceAccounts'], 3)
    await stateIs('old', 'UnknownPolicy')
    // The leader has not seen it itself, and lets it stand.
    leader.writer.touched()
    await sleep(2500)
    await becomes('bindings', 'store', 'good', 'UnknownPolicy')
    await stateIs('old', 'UnknownPolicy')
    leader.writer.used([id, 'sts.min.io/PolicyBinding/store/old'])
    const again = await becomes('bindings', 'store', 'good', 'Bound')
    await stateIs('old', 'Ready')
    assert.equal(typeof again['lastUsedTime'], 'string')
  })

  test('counts uses of all replicas together, and no more often than once a minute', async () => {
    const count = async () => {
      const usage = (await read('policybindings', 'store', 'old'))['usage']
      return (usage as Record<string, unknown> | undefined)?.['authotizations']
    }
    await until('the first use is written', async () => (await count()) === 1)
    const writes = leader.writes()
    const id = 'sts.min.io/PolicyBinding/store/old'
    for (let uses = 0; uses < 100; uses += 1) other.writer.used([id])
    leader.writer.used([id])
    await until('those of the other are written', async () => (await count()) === 101)
    assert.equal(leader.writes(), writes, 'not before a minute is over')
    await stateIs('old', 'Ready')
  })

  test('writes nothing more once all is said, whoever leads', async () => {
    other.leads.now = true
    await sleep(3000)
    const [before, lone] = [leader.writes(), other.writes()]
    const versions = async () => {
      const { body } = await server().ask('/apis/daypass.dev/v1/bindings')
      return JSON.stringify(body['items'])
    }
    const seen = await versions()
    for (let round = 0; round < 3; round += 1) {
      leader.writer.touched()
      other.writer.touched()
      await sleep(1100)
    }
    assert.deepEqual([leader.writes(), other.writes()], [before, lone])
    assert.equal(await versions(), seen)
  })

  test('leads by a Lease that one holds at a time, and that is free soon after its holder has died', async () => {
    assert.deepEqual(await takeover, { both: 0, first: false, second: true })
  })

  test('gives the Lease back when it closes', async () => {
    const first = lease(leader.api, 'given-back', 'a')
    await until('it leads', () => first.isLeader())
    const second = lease(other.api, 'given-back', 'b')
    await sleep(500)
    assert.equal(second.isLeader(), false)
    await first.close()
    assert.equal(first.isLeader(), false)
    await until('the other leads', () => second.isLeader(), 7)
    await second.close()
    const { body } = await server().ask(
      '/apis/coordination.k8s.io/v1/namespaces/store/leases/given-back',
    )
    const spec = body['spec'] as Record<string, unknown>
    assert.equal(spec['holderIdentity'], undefined)
    assert.equal(spec['leaseTransitions'], 2)
  })
})

function lease(api: ClusterApi, name: string, holder: string): Lease {
  const clock = () => new Date()
  return openLease({ api, namespace: 'store', name, holder, clock, onError: () => undefined })
}

async function openWriter(lab: KubeLab, isLeader: boolean): Promise<Writing> {
  const leads = { now: isLeader }
  let writer: StatusWriter | undefined
  const replica = await openReplica(lab, {
    staleAfterSeconds: 60,
    onChange: () => writer?.touched(),
  })
  writer = openStatusWriter({
    api: replica.api,
    directory: replica.directory,
    isLeader: () => leads.now,
    isFresh: replica.isFresh,
    clock: () => new Date(),
    onError: (error) => assert.fail(String(error)),
  })
  return { ...replica, writer, leads }
}

/** Two holders, one of which loses the API server: how often both led, and who leads in the end. */
async function dieAndTakeOver(lab: KubeLab) {
  const real = await openClusterApi({ kubeconfig: lab.kubeconfig })
  let isCut = false
  const cut: ClusterApi = {
    server: real.server,
    ca: real.ca,
    send: (path, request) =>
      isCut ? Promise.reject(new Error('cut off')) : real.send(path, request),
    watch: (path, options) => real.watch(path, options),
    close: () => real.close(),
  }
  const first = lease(cut, 'lost', 'first')
  await until('the first leads', () => first.isLeader())
  const second = lease(real, 'lost', 'second')
  isCut = true
  let both = 0
  await until('the second leads', () => {
    if (first.isLeader() && second.isLeader()) both += 1
    return second.isLeader()
  })
  const result = { both, first: first.isLeader(), second: second.isLeader() }
  await Promise.all([first.close(), second.close()])
  await real.close()
  return result
}
