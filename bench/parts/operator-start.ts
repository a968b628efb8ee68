import { randomUUID } from 'node:crypto'
import { resource } from '../../test/e2e/cluster-scene.ts'
import type { KubeObject } from '../../test/labs/kube-lab.ts'
import { openCluster, startOperator, untilReady } from '../cluster.ts'
import type { Cluster } from '../cluster.ts'
import { makeFigure, median } from '../figure.ts'
import type { Figure } from '../figure.ts'
import type { Part } from '../part.ts'
import { residentBytes } from '../resident.ts'
import type { Workplace } from '../workplace.ts'

type Counts = Readonly<{ bindings: number; tenants: number }>

/** A quick look is content with fewer. */
const full: Counts = { bindings: 10_000, tenants: 1000 }
const few: Counts = { bindings: 1000, tenants: 100 }
/** Tenants are spread over so many namespaces. */
const namespaces = 20

export const operatorStart: Part = {
  name: 'operator-start',
  floor: 'the same operator against the same API server before anything is in it',
  async measure(place, pace) {
    const counts = pace.quick ? few : full
    const cluster = await openCluster(place)
    const rounds = Math.min(pace.rounds, 3)
    const empty = await measureStarts(place, cluster, rounds)
    await fill(cluster, counts)
    const filled = await measureStarts(place, cluster, rounds)
    return figuresOf(counts, filled, empty)
  },
}

type Starts = Readonly<{ milliseconds: number[]; bytes: number[] }>

/** From spawning it to its saying that it would serve; and its size half a second later. */
async function measureStarts(place: Workplace, cluster: Cluster, rounds: number): Promise<Starts> {
  const starts: Starts = { milliseconds: [], bytes: [] }
  for (let round = 0; round < rounds; round++) {
    const before = performance.now()
    const operator = await startOperator(place, cluster)
    await untilReady(operator)
    starts.milliseconds.push(performance.now() - before)
    await new Promise((resolve) => setTimeout(resolve, 500))
    starts.bytes.push(residentBytes(operator.pid) ?? NaN)
    await operator.stop()
  }
  return starts
}

function figuresOf(counts: Counts, filled: Starts, empty: Starts): readonly Figure[] {
  const [bindings, tenants] = [counts.bindings, counts.tenants].map((n) => n.toLocaleString('en'))
  const what = `with ${bindings} bindings and ${tenants} tenants`
  return [
    makeFigure({
      name: `operator ready ${what}`,
      unit: 'ms',
      ours: median(filled.milliseconds),
      floor: median(empty.milliseconds),
    }),
    makeFigure({
      name: `resident set of the operator ${what}`,
      unit: 'MB',
      ours: median(filled.bytes) / 1e6,
      floor: median(empty.bytes) / 1e6,
    }),
  ]
}

/**
 * Ten bindings to a tenant, every other one with patterns. They are put where the API server keeps them: through itself,
 * eleven thousand objects would take minutes. Nothing is looked up in the tenants' Secrets.
 */
async function fill({ lab }: Cluster, { bindings, tenants }: Counts): Promise<void> {
  const homes = Array.from({ length: namespaces }, (_, index) => `store-${index}`)
  for (const name of homes) await lab.createNamespace(name)
  const gateway = { sessionKeysSecretRef: { name: 'session-keys' } }
  const objects: Put[] = []
  for (let index = 0; index < tenants; index++) {
    const home = homes[index % namespaces] ?? ''
    const object = resource('Tenant', home, `tenant-${index}`, { target: { gateway } })
    objects.push(stored('tenants', object))
  }
  for (let index = 0; index < bindings; index++) {
    const tenant = index % tenants
    const home = homes[tenant % namespaces] ?? ''
    const serviceAccount = index % 2 === 0 ? 'web' : 'job-*'
    const subjects = [{ namespace: `team-${index}`, serviceAccount }]
    const spec = { tenant: `tenant-${tenant}`, subjects, policies: ['readonly'] }
    objects.push(stored('bindings', resource('Binding', home, `binding-${index}`, spec)))
  }
  while (objects.length > 0) await putAll(lab.etcdUrl, objects.splice(0, 100))
}

type Put = Readonly<{ key: string; value: string }>

function stored(plural: string, { apiVersion, kind, metadata, ...rest }: KubeObject): Put {
  const { namespace = '', name } = metadata
  const creationTimestamp = new Date().toISOString().replace(/\.\d+/, '')
  const whole = { ...metadata, uid: randomUUID(), creationTimestamp, generation: 1 }
  return {
    key: `/registry/daypass.dev/${plural}/${namespace}/${name}`,
    value: JSON.stringify({ apiVersion, kind, metadata: whole, ...rest }),
  }
}

/** In one transaction. */
async function putAll(etcdUrl: string, puts: readonly Put[]): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const success = puts.map(({ key, value }) => ({
    requestPut: { key: base64(key), value: base64(value) },
  }))
  const answer = await fetch(`${etcdUrl}/v3/kv/txn`, {
    method: 'POST',
    body: JSON.stringify({ success }),
  })
  if (!answer.ok) throw new Error(`etcd: ${answer.status} ${await answer.text()}`)
}
