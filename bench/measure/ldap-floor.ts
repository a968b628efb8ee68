/**
 * A program: `ldap-floor.ts SETTINGS WARMUP SECONDS` prints LdapFloorRates: how many simple binds a directory takes in
 * a second over so many TLS connections, and how many times a search for the person, the bind and a search for the
 * groups, with searches on connections of their own.
 */
import { readFileSync } from 'node:fs'
import { AndFilter, Client, EqualityFilter } from 'ldapts'

export type LdapFloor = Readonly<{
  port: number
  ca: string
  lookup: Readonly<{ dn: string; password: string }>
  base: string
  people: readonly Readonly<{ name: string; password: string }>[]
  connections: number
}>

export type LdapFloorRates = Readonly<{ bindsPerSecond: number; loginsPerSecond: number }>

const [path = '', warmup, seconds] = process.argv.slice(2)
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by ourselves a moment ago
const settings = JSON.parse(readFileSync(path, 'utf8')) as LdapFloor

type Pair = Readonly<{ lookup: Client; login: Client }>
type Person = LdapFloor['people'][number]

const open = (): Client =>
  new Client({ url: `ldaps://127.0.0.1:${settings.port}`, tlsOptions: { ca: settings.ca } })
const pairs = Array.from({ length: settings.connections }, () => ({
  lookup: open(),
  login: open(),
}))
await Promise.all(
  pairs.map(({ lookup }) => lookup.bind(settings.lookup.dn, settings.lookup.password)),
)

async function bind({ login }: Pair, { name, password }: Person): Promise<void> {
  await login.bind(`uid=${name},ou=people,${settings.base}`, password)
}

async function logIn(pair: Pair, person: Person): Promise<void> {
  const found = await pair.lookup.search(`ou=people,${settings.base}`, {
    filter: new EqualityFilter({ attribute: 'uid', value: person.name }),
    attributes: ['uid'],
  })
  const [entry] = found.searchEntries
  if (entry === undefined) throw new Error(`the directory does not know ${person.name}`)
  await pair.login.bind(entry.dn, person.password)
  await pair.lookup.search(`ou=groups,${settings.base}`, {
    filter: new AndFilter({
      filters: [
        new EqualityFilter({ attribute: 'objectClass', value: 'groupOfNames' }),
        new EqualityFilter({ attribute: 'member', value: entry.dn }),
      ],
    }),
    attributes: ['1.1'],
  })
}

let next = 0

async function rateOf(work: typeof bind, forSeconds: number): Promise<number> {
  const started = performance.now()
  let done = 0
  await Promise.all(
    pairs.map(async (pair) => {
      while (performance.now() < started + forSeconds * 1000) {
        const person = settings.people[next++ % settings.people.length]
        if (person === undefined) throw new Error('nobody to log in')
        await work(pair, person)
        done++
      }
    }),
  )
  return (done * 1000) / (performance.now() - started)
}

// A new process each round: what is measured first must not pay for compiling what both use.
await rateOf(logIn, Number(warmup) + 0.5)
const rates: LdapFloorRates = {
  bindsPerSecond: await rateOf(bind, Number(seconds)),
  loginsPerSecond: await rateOf(logIn, Number(seconds)),
}
await Promise.all(pairs.flatMap(({ lookup, login }) => [lookup.unbind(), login.unbind()]))
process.stdout.write(JSON.stringify(rates))
