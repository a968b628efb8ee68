import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { Attribute, Change, Client, type DN } from 'ldapts'
import { MemoryState } from '../../credentials/testing/memory-state.ts'
import { Secret } from '../../secret.ts'
import { IdentityError } from '../identity-error.ts'
import { Attendance, type Attendee } from './attendance.ts'
import { createDepartures } from './departures.ts'
import { createLdapVerifier, type LdapPresence, type LdapVerifier } from './ldap-verifier.ts'
import type { LdapDirectory } from './settings.ts'
import { startDirectory, type DirectoryLab } from './testing/directory-lab.ts'
import { startTap } from './testing/tap.ts'

const longestSessionSeconds = 3600
const start = Date.parse('2026-03-01T00:00:00Z')
const alice: Attendee = {
  directory: 'staff',
  dn: 'uid=Alice,dc=example',
  username: 'alice',
  groups: ['cn=a', 'cn=b'],
}
const settings: LdapDirectory = {
  name: 'staff',
  servers: ['ldap.example.org'],
  lookupBindDn: 'cn=lookup',
  userBaseDns: ['dc=example'],
  userFilter: '(uid=%s)',
  recheckPerSecond: 1000,
}

/** One process over a store; another one is another house over `state.connect()`. */
function house(
  confirm: LdapVerifier['confirm'],
  state = new MemoryState({ clock: () => time.now }),
  directories: readonly LdapDirectory[] = [settings],
) {
  const ended: string[] = []
  const told: string[] = []
  const faults: unknown[] = []
  const clock = () => time.now
  const attendance = new Attendance({
    state,
    clock,
    longestSessionSeconds,
    endSessions: async ({ directory, subject }, why, issuedBefore) => {
      ended.push(`${directory} ${subject} ${issuedBefore.getTime() - start}: ${why}`)
    },
  })
  const departures = createDepartures({
    directories,
    attendance,
    confirm,
    state,
    clock,
    random: randomBytes,
    log: ({ kind }) => told.push(kind),
    onError: (error) => faults.push(error),
  })
  return { state, attendance, departures, ended, told, faults }
}

const time = {
  now: new Date(start),
  pass(seconds: number): void {
    this.now = new Date(this.now.getTime() + seconds * 1000)
  },
  begin(): void {
    this.now = new Date(start)
  },
}

async function revisionOf(state: MemoryState): Promise<number> {
  return (await state.list('ldap-person/')).revision
}

async function people(state: MemoryState): Promise<number> {
  return (await state.list('ldap-person/')).entries.length
}

const gone = async (): Promise<LdapPresence> => ({ kind: 'gone' })
const presentIn =
  (...groups: readonly string[]) =>
  async (): Promise<LdapPresence> => ({ kind: 'present', groups })

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('who may have live sessions', () => {
  it('is written once a day and person, however many log in', async () => {
    time.begin()
    const { state, attendance } = house(gone)
    await attendance.seen(alice)
    const first = await revisionOf(state)
    for (let hour = 0; hour < 23; hour += 1) {
      time.pass(3600)
      await attendance.seen(alice)
    }
    assert.equal(await revisionOf(state), first)
    time.pass(2 * 3600)
    await attendance.seen(alice)
    assert.ok((await revisionOf(state)) > first)
    assert.equal(await people(state), 1)
  })

  it('is kept as long as a session may live, and then forgotten', async () => {
    time.begin()
    const { state, attendance } = house(gone)
    await attendance.seen(alice)
    time.pass(24 * 3600)
    await attendance.seen(alice)
    time.pass(longestSessionSeconds - 1)
    assert.equal(await people(state), 1)
    time.pass(25 * 3600)
    assert.equal(await people(state), 0)
  })

  it('holds no name of a group, and little of thousands', async () => {
    time.begin()
    const { state, attendance } = house(gone)
    const groups = Array.from({ length: 2000 }, (_, at) => `cn=group ${at},dc=example`)
    await attendance.seen({ ...alice, groups })
    const { entries } = await state.list('ldap-person/')
    assert.ok(!entries[0]?.value.includes('cn=group'))
    assert.ok((entries[0]?.value.length ?? Infinity) < 40_000)
  })

  it('refuses the login when it cannot be written', async () => {
    time.begin()
    const { state, attendance } = house(gone)
    state.failing = true
    await assert.rejects(attendance.seen(alice))
  })

  it('ends older sessions, not the coming one, at a login without a group of before', async () => {
    time.begin()
    const { attendance, ended } = house(gone)
    await attendance.seen(alice)
    time.pass(60)
    await attendance.seen({ ...alice, groups: ['cn=b'] })
    assert.deepEqual(ended, ['staff uid=alice,dc=example 59999: the person has left a group'])
    await attendance.seen({ ...alice, groups: ['cn=b', 'cn=c'] })
    assert.equal(ended.length, 1)
    await attendance.seen(alice)
    assert.equal(ended.length, 2)
  })

  it('ends the sessions of somebody else who had the name, when both are told apart', async () => {
    time.begin()
    const { attendance, ended } = house(gone)
    await attendance.seen(alice)
    await attendance.seen({ ...alice, entryId: 'one' })
    await attendance.seen(alice)
    await attendance.seen({ ...alice, entryId: 'two' })
    assert.deepEqual(ended, [])
    await attendance.seen({ ...alice, entryId: 'three' })
    assert.deepEqual(ended, ['staff uid=alice,dc=example -1: somebody else has the name now'])
  })

  it('survives that many log in at once', async () => {
    time.begin()
    const one = house(gone)
    const other = house(gone, one.state.connect())
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => (at % 2 ? one : other).attendance.seen(alice)),
    )
    assert.equal(await people(one.state), 1)
    assert.deepEqual([...one.ended, ...other.ended], [])
  })

  it('is found by login name, in the directory that was named', async () => {
    time.begin()
    const { attendance } = house(gone)
    await attendance.seen(alice)
    assert.deepEqual(await attendance.subjectsOf('staff', 'ALICE'), ['uid=alice,dc=example'])
    assert.deepEqual(await attendance.subjectsOf('guests', 'alice'), [])
    assert.deepEqual(await attendance.subjectsOf('staff', 'bob'), [])
  })
})

describe('a round', () => {
  it('ends the sessions of somebody who is gone, once', async () => {
    time.begin()
    const asked: unknown[] = []
    const { state, attendance, departures, ended, told } = house(async (who) => {
      asked.push(who)
      return { kind: 'gone' }
    })
    await attendance.seen(alice)
    time.pass(10)
    await departures.round('staff')
    await departures.round('staff')
    assert.deepEqual(asked, [{ directory: 'staff', subject: alice.dn, username: 'alice' }])
    assert.deepEqual(ended, [
      'staff uid=alice,dc=example 10000: the directory no longer has this person',
    ])
    assert.deepEqual(told, ['person_gone'])
    assert.equal(await people(state), 0)
  })

  it('goes on after a restart, and does not need the process that let somebody in', async () => {
    time.begin()
    const before = house(gone)
    await before.attendance.seen(alice)
    const later = house(gone, before.state.connect())
    await later.departures.round('staff')
    assert.equal(later.ended.length, 1)
  })

  it('leaves those alone who are there, in more groups too', async () => {
    time.begin()
    const { attendance, departures, ended } = house(presentIn('cn=a', 'cn=b', 'cn=c'))
    await attendance.seen(alice)
    await departures.round('staff')
    assert.deepEqual(ended, [])
  })

  it('ends the sessions of somebody who has left a group, once', async () => {
    time.begin()
    const { attendance, departures, ended, told } = house(presentIn('cn=b'))
    await attendance.seen(alice)
    await departures.round('staff')
    await departures.round('staff')
    assert.deepEqual(ended, ['staff uid=alice,dc=example 0: the person has left a group'])
    assert.deepEqual(told, ['person_changed'])
  })

  it('ends nothing when the directory does not answer, and does not wait for it again and again', async () => {
    time.begin()
    let asked = 0
    const { attendance, departures, ended, told } = house(async () => {
      asked += 1
      throw new IdentityError('provider_unavailable', 'away')
    })
    for (let at = 0; at < 20; at += 1) {
      await attendance.seen({ ...alice, dn: `uid=p${at},dc=example` })
    }
    await departures.round('staff')
    assert.deepEqual(ended, [])
    assert.equal(asked, 5)
    assert.deepEqual(told, ['person_unchecked'])
  })

  it('asks about the others when one cannot be judged', async () => {
    time.begin()
    const { attendance, departures, ended } = house(async ({ subject }) => {
      if (subject.includes('p3')) throw new IdentityError('provider_unavailable', 'too many groups')
      return { kind: 'gone' }
    })
    for (let at = 0; at < 10; at += 1) {
      await attendance.seen({ ...alice, dn: `uid=p${at},dc=example` })
    }
    await departures.round('staff')
    assert.equal(ended.length, 9)
  })

  it('keeps somebody in mind whose sessions could not be ended', async () => {
    time.begin()
    const { state, attendance } = house(gone)
    await attendance.seen(alice)
    const broken = new Attendance({
      state,
      clock: () => time.now,
      longestSessionSeconds,
      endSessions: () => Promise.reject(new Error('the disk is full')),
    })
    for await (const person of broken.of('staff', 0)) await assert.rejects(broken.gone(person))
    assert.equal(await people(state), 1)
  })

  it('does not forget somebody who has come back meanwhile', async () => {
    time.begin()
    const { state, attendance } = house(gone)
    await attendance.seen(alice)
    for await (const person of attendance.of('staff', 0)) {
      await attendance.seen({ ...alice, groups: [...alice.groups, 'cn=new'] })
      await attendance.gone(person)
    }
    assert.equal(await people(state), 1)
  })

  it('is made by itself, by one process of several, and by the next one in the next interval', async () => {
    time.begin()
    const quick = [{ ...settings, recheckSeconds: 1 }]
    const asked: string[] = []
    const ask =
      (name: string): LdapVerifier['confirm'] =>
      async () => {
        asked.push(name)
        return { kind: 'present', groups: alice.groups }
      }
    const one = house(ask('one'), undefined, quick)
    const other = house(ask('other'), one.state.connect(), quick)
    await one.attendance.seen(alice)
    one.departures.start()
    await until(() => asked.length === 1)
    other.departures.start()
    await one.departures.close()
    assert.deepEqual(asked, ['one'])
    time.pass(2)
    await until(() => asked.length === 2)
    assert.equal(asked[1], 'other')
    await other.departures.close()
    assert.deepEqual([...one.faults, ...other.faults], [])
  })

  it('is tried again when the store fails', async () => {
    time.begin()
    const quick = [{ ...settings, recheckSeconds: 1 }]
    const { state, attendance, departures, ended, faults } = house(gone, undefined, quick)
    await attendance.seen(alice)
    state.failing = true
    departures.start()
    await until(() => faults.length > 0)
    assert.deepEqual(ended, [])
    state.failing = false
    await until(() => ended.length === 1)
    await departures.close()
  })
})

const started = await startDirectory('slapd')
const skip = typeof started === 'string' ? started : false
const lab = (typeof started === 'string' ? undefined : started) as DirectoryLab
if (typeof started === 'string') console.error(`SKIPPED: OpenLDAP: ${started}`)
after(() => lab?.down())
const base = 'dc=daypass,dc=test'

async function asAdmin(use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ url: `ldap://127.0.0.1:${lab.value('LDAP_PORT')}` })
  await client.bind(lab.value('LDAP_ADMIN_DN'), lab.value('LDAP_ADMIN_PASSWORD'))
  try {
    await use(client)
  } finally {
    await client.unbind()
  }
}

describe('people who leave a real OpenLDAP', { skip }, () => {
  const password = 'Pw-of-the-leaver'
  const dn = `uid=Leaver,ou=people,${base}`
  const readers = `cn=readers,ou=groups,${base}`
  const member = (operation: 'add' | 'delete', who: string | DN): Change =>
    new Change({
      operation,
      modification: new Attribute({ type: 'member', values: [String(who)] }),
    })

  async function hire(change: Partial<Record<string, string>> = {}): Promise<void> {
    await asAdmin(async (client) => {
      await client.add(dn, {
        objectClass: 'inetOrgPerson',
        uid: 'Leaver',
        cn: 'x',
        sn: 'x',
        userPassword: password,
        ...change,
      })
      await client.modify(readers, member('add', dn))
    })
  }

  /** Logs in, lets something happen, makes a round, and tells whose sessions were ended. */
  async function around(
    happens: (cut: () => void) => Promise<void>,
    change: Partial<LdapDirectory> = {},
  ): Promise<readonly string[]> {
    time.begin()
    const tap = await startTap(Number(lab.value('LDAP_PORT')))
    const directory: LdapDirectory = {
      ...settings,
      servers: [`127.0.0.1:${tap.port}`],
      insecurePlain: true,
      lookupBindDn: lab.value('LDAP_LOOKUP_DN'),
      lookupBindPassword: new Secret(lab.value('LDAP_LOOKUP_PASSWORD')),
      userBaseDns: [`ou=people,${base}`],
      groupBaseDns: [`ou=groups,${base}`],
      groupFilter: '(member=%d)',
      timeoutSeconds: 2,
      ...change,
    }
    const { attendance, departures, ended } = house((who) => verifier.confirm(who), undefined, [
      directory,
    ])
    const verifier = createLdapVerifier({
      directories: [directory],
      clock: () => new Date(),
      delay: async () => {},
      attendance,
    })
    try {
      const evidence = { kind: 'ldap', username: 'leaver', source: '::1' } as const
      const login = { ...evidence, password: new Secret(password) }
      assert.ok(await verifier.verify(login, new Date()))
      await departures.round('staff')
      assert.equal(ended.length, 0)
      await happens(() => {
        tap.close()
        tap.cut()
      })
      await departures.round('staff')
    } finally {
      verifier.close()
      tap.close()
      await asAdmin(async (client) => {
        await client.modify(readers, member('delete', dn)).catch(() => undefined)
        await client.del(dn).catch(() => undefined)
      })
    }
    return ended.map((line) => line.slice(line.indexOf(':') + 2))
  }

  const isGone = ['the directory no longer has this person']

  it('lose their sessions when they are deleted', async () => {
    await hire()
    assert.deepEqual(await around(() => asAdmin((client) => client.del(dn))), isGone)
  })

  it('lose them when they are renamed, and when they are moved', async () => {
    for (const [to, change] of [
      [`uid=married,ou=people,${base}`, {}],
      [`uid=Leaver,ou=contractors,${base}`, {}],
    ] as const) {
      await hire()
      const ended = await around(() => asAdmin((client) => client.modifyDN(dn, to)), change)
      await asAdmin((client) => client.del(to))
      assert.deepEqual(ended, isGone, to)
    }
  })

  it('lose them when the user filter no longer finds them', async () => {
    const userFilter = '(&(uid=%s)(!(employeeType=left)))'
    await hire()
    const leave = new Change({
      operation: 'add',
      modification: new Attribute({ type: 'employeeType', values: ['left'] }),
    })
    const ended = await around(() => asAdmin((client) => client.modify(dn, leave)), { userFilter })
    assert.deepEqual(ended, isGone)
  })

  it('lose them when they leave a group, and not when they join one', async () => {
    await hire()
    const ended = await around(() =>
      asAdmin((client) => client.modify(readers, member('delete', dn))),
    )
    assert.deepEqual(ended, ['the person has left a group'])
    await hire()
    const writers = `cn=writers,ou=groups,${base}`
    const none = await around(() => asAdmin((client) => client.modify(writers, member('add', dn))))
    await asAdmin((client) => client.modify(writers, member('delete', dn)))
    assert.deepEqual(none, [])
  })

  it('leave none to whoever gets their name', async () => {
    await hire()
    const ended = await around(async () => {
      await asAdmin(async (client) => {
        await client.modify(readers, member('delete', dn))
        await client.del(dn)
      })
      await hire()
    })
    assert.deepEqual(ended, ['somebody else has the name now'])
  })

  it('keep them while the directory is away', async () => {
    await hire()
    assert.deepEqual(await around(async (cut) => cut()), [])
  })

  it('keep them when their place is only a referral to another server', async () => {
    await hire()
    const ended = await around(() =>
      asAdmin(async (client) => {
        await client.del(dn)
        await client.add(dn, {
          objectClass: ['referral', 'extensibleObject'],
          uid: 'Leaver',
          ref: `ldap://ldap.example.org/${dn}`,
        })
      }),
    )
    await removeReferral()
    assert.deepEqual(ended, [])
  })

  async function removeReferral(): Promise<void> {
    const { Control } = await import('ldapts')
    class ManageDsaIt extends Control {
      constructor() {
        super('2.16.840.1.113730.3.4.2', { critical: true })
      }
    }
    await asAdmin((client) => client.del(dn, new ManageDsaIt()))
  }

  it('are not let in when they cannot be written down', async () => {
    const verifier = createLdapVerifier({
      directories: [
        {
          ...settings,
          servers: [`127.0.0.1:${lab.value('LDAP_PORT')}`],
          insecurePlain: true,
          lookupBindDn: lab.value('LDAP_LOOKUP_DN'),
          lookupBindPassword: new Secret(lab.value('LDAP_LOOKUP_PASSWORD')),
          userBaseDns: [`ou=people,${base}`],
        },
      ],
      clock: () => new Date(),
      attendance: { seen: () => Promise.reject(new Error('the disk is full')) },
    })
    const password = new Secret(lab.value('LDAP_ALICE'))
    const login = { kind: 'ldap', username: 'alice', password, source: '::1' } as const
    await assert.rejects(verifier.verify(login, new Date()), { code: 'provider_unavailable' })
    verifier.close()
  })
})
