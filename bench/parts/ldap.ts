import { existsSync, readFileSync } from 'node:fs'
import { startDirectory } from '../../src/identity/ldap/testing/directory-lab.ts'
import type { DirectoryLab } from '../../src/identity/ldap/testing/directory-lab.ts'
import { iamAction, sendSigned, startDaypass } from '../daypass.ts'
import type { Daypass } from '../daypass.ts'
import { makeFigure, median } from '../figure.ts'
import type { Figure } from '../figure.ts'
import { load } from '../load/compare.ts'
import { planForm } from '../load/plan.ts'
import type { LdapFloor, LdapFloorRates } from '../measure/ldap-floor.ts'
import { Skipped } from '../part.ts'
import type { Pace, Part } from '../part.ts'
import { program } from '../program.ts'
import type { Workplace } from '../workplace.ts'

/** As many logins of one name from one address may be under way at the same time. */
const connections = 6
const base = 'dc=daypass,dc=test'
const people = ['alice', 'bob', 'carol']

export const ldap: Part = {
  name: 'ldap',
  floor:
    'ldapts over as many TLS connections of each kind to the same OpenLDAP: bare simple binds; ' +
    'and the two searches with the bind that an exchange needs. No HTTP, nothing issued, no audit',
  async measure(place, pace) {
    const lab = await openDirectory()
    place.defer(() => lab.down())
    const ours = await startWithDirectory(place, lab)
    const floor: LdapFloor = {
      port: Number(lab.value('LDAPS_PORT')),
      ca: readFileSync(lab.value('LDAP_CA'), 'utf8'),
      lookup: { dn: lab.value('LDAP_LOOKUP_DN'), password: lab.value('LDAP_LOOKUP_PASSWORD') },
      base,
      people: people.map((name) => ({ name, password: passwordOf(lab, name) })),
      connections,
    }
    const requests = people.map((name) => planForm(loginOf(name, passwordOf(lab, name))))
    const rounds = await measureInTurn(place, pace, ours, { requests, connections }, floor)
    return figuresOf(rounds)
  },
}

async function openDirectory(): Promise<DirectoryLab> {
  // The laboratory would install what is missing, which nobody asks of a benchmark.
  if (!existsSync('/usr/sbin/slapd')) throw new Skipped('no slapd here: apt-get install slapd')
  const lab = await startDirectory('slapd')
  if (typeof lab === 'string') throw new Skipped(lab)
  return lab
}

function passwordOf(lab: DirectoryLab, name: string): string {
  return lab.value(`LDAP_${name.toUpperCase()}`)
}

function loginOf(name: string, password: string): Readonly<Record<string, string>> {
  return {
    Action: 'AssumeRoleWithLDAPIdentity',
    Version: '2011-06-15',
    LDAPUsername: name,
    LDAPPassword: password,
  }
}

async function startWithDirectory(place: Workplace, lab: DirectoryLab): Promise<Daypass> {
  const directory = {
    name: 'bench',
    servers: [`127.0.0.1:${lab.value('LDAPS_PORT')}`],
    caFile: lab.value('LDAP_CA'),
    lookupBindDn: lab.value('LDAP_LOOKUP_DN'),
    lookupBindPassword: { file: place.file(lab.value('LDAP_LOOKUP_PASSWORD')) },
    userBaseDns: [`ou=people,${base}`],
    userFilter: '(uid=%s)',
    groupBaseDns: [`ou=groups,${base}`],
    groupFilter: '(&(objectClass=groupOfNames)(member=%d))',
    connections,
  }
  const server = await startDaypass(place, { ldap: [directory] })
  for (const name of people) {
    const attach = iamAction('AttachPrincipalPolicy', {
      PrincipalKind: 'ldap-user',
      PrincipalName: `uid=${name},ou=people,${base}`,
      PolicyArn: 'arn:aws:iam::aws:policy/readonly',
    })
    await sendSigned(server, 'iam', server.root, attach)
  }
  return server
}

type Rounds = Readonly<{
  ours: Awaited<ReturnType<typeof load>>[]
  floor: LdapFloorRates[]
}>

async function measureInTurn(
  place: Workplace,
  pace: Pace,
  server: Daypass,
  contest: Parameters<typeof load>[2],
  floor: LdapFloor,
): Promise<Rounds> {
  const settings = place.file(JSON.stringify(floor))
  const runFloor = async (): Promise<LdapFloorRates> => {
    const seconds = [pace.warmupSeconds, pace.seconds].map(String)
    const said = await place.run([program('measure/ldap-floor.ts'), settings, ...seconds])
    return JSON.parse(said) as LdapFloorRates // oxlint-disable-line typescript/no-unsafe-type-assertion -- printed by our own program
  }
  const rounds: Rounds = { ours: [], floor: [] }
  await load(place, { ...pace, seconds: pace.firstWarmupSeconds }, contest, server)
  for (let round = 0; round < pace.rounds; round++) {
    rounds.floor.push(await runFloor())
    rounds.ours.push(await load(place, pace, contest, server))
  }
  return rounds
}

function figuresOf({ ours, floor }: Rounds): readonly Figure[] {
  const rate = median(ours.map(({ requestsPerSecond }) => requestsPerSecond))
  const detail = { p99Milliseconds: median(ours.map(({ p99Milliseconds }) => p99Milliseconds)) }
  const given = { unit: 'requests/s', ours: rate, detail }
  return [
    makeFigure({
      ...given,
      name: 'LDAP exchange (OpenLDAP), against bare binds',
      floor: median(floor.map(({ bindsPerSecond }) => bindsPerSecond)),
    }),
    makeFigure({
      ...given,
      name: 'LDAP exchange, against its searches and its bind',
      floor: median(floor.map(({ loginsPerSecond }) => loginsPerSecond)),
    }),
  ]
}
