/**
 * A program: `binding-match.ts ROUNDS SECONDS COUNT WHICH` prints the processor time of finding the bindings of a service
 * account among so many of one tenant, compared with the same in an index of one.
 */
import { BindingIndex } from '../../src/grants/index.ts'
import type { BindingSubject, BoundSubject, ServiceAccountBinding } from '../../src/grants/index.ts'
import { readPace, timeInTurn } from './time-calls.ts'

export type Which = 'exact' | 'patterns-cold' | 'patterns-warm'

const { rest, ...pace } = readPace()
const [shown = '', which] = rest
const count = Number(shown)
const home = { namespace: 'store', name: 'main' }
const isExact = which === 'exact'

/** As people write patterns: a family of namespaces, the jobs of one of them, or one job wherever it runs. */
const families: readonly ((index: number) => BindingSubject)[] = [
  (index) => ({ namespace: `team-${index}-*`, serviceAccount: '*' }),
  (index) => ({ namespace: `team-${index}-a`, serviceAccount: 'job-*' }),
  (index) => ({ namespace: '*', serviceAccount: `backup-${index}` }),
]

function binding(index: number): ServiceAccountBinding {
  const family = families[index % families.length]
  const exact = { namespace: `team-${index}-a`, serviceAccount: 'web' }
  return {
    id: `daypass.dev/Binding/store/binding-${index}`,
    namespace: home.namespace,
    subjects: [isExact || family === undefined ? exact : family(index)],
    policies: ['readonly'],
    documents: [],
  }
}

/** Whom the binding is for. `turn`: another one of its family each time. */
function subject(index: number, turn: number): BoundSubject {
  const names = [
    { namespace: `team-${index}-${turn}`, serviceAccount: 'web' },
    { namespace: `team-${index}-a`, serviceAccount: `job-${turn}` },
    { namespace: `shop-${turn}`, serviceAccount: `backup-${index}` },
  ][index % families.length]
  const exact = { namespace: `team-${index}-a`, serviceAccount: 'web' }
  return { cluster: 'local', claims: new Map(), ...(isExact || !names ? exact : names) }
}

function indexOf(size: number): BindingIndex {
  const index = new BindingIndex('local')
  for (let each = 0; each < size; each++) index.put(binding(each))
  return index
}

const all = indexOf(count)
const one = indexOf(1)

function find(index: BindingIndex, at: number, turn: number): void {
  const found = index.find(home, subject(at, turn))
  if (found.length !== 1) throw new Error(`${found.length} bindings fit ${at}, ${turn}`)
}

// A step that meets them all, far from each other. Who comes back while it is remembered is warm.
const turnOf = (index: number): number => (which === 'patterns-cold' ? index : 0)
const among = which === 'patterns-warm' ? Math.min(count, 1000) : count
const times = await timeInTurn(pace, {
  ours: (index) => find(all, (index * 7919) % among, turnOf(index)),
  floor: (index) => find(one, 0, turnOf(index)),
})
process.stdout.write(JSON.stringify(times))
