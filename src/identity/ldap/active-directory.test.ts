import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { Attribute, Change, Client } from 'ldapts'
import { MemoryState } from '../../credentials/testing/memory-state.ts'
import { Secret } from '../../secret.ts'
import { IdentityError } from '../identity-error.ts'
import type { IdentityErrorCode, Principal } from '../types.ts'
import { Attendance } from './attendance.ts'
import { createDepartures } from './departures.ts'
import { createLdapVerifier, type LdapVerifier } from './ldap-verifier.ts'
import type { LdapDirectory } from './settings.ts'
import { startDirectory, type DirectoryLab } from './testing/directory-lab.ts'

const started = await startDirectory('ad')
const skip = typeof started === 'string' ? started : false
const lab = (typeof started === 'string' ? undefined : started) as DirectoryLab
const base = 'DC=ad,DC=daypass,DC=test'
const users = 'cn=users,dc=ad,dc=daypass,dc=test'

if (typeof started === 'string') console.error(`SKIPPED: Active Directory: ${started}`)
after(() => lab?.down())

function directory(change: Partial<LdapDirectory> = {}): LdapDirectory {
  return {
    name: 'ad',
    servers: [`${lab.value('AD_ADDRESS')}:636`],
    caFile: lab.value('AD_CA'),
    lookupBindDn: 'lookup@ad.daypass.test',
    lookupBindPassword: new Secret(lab.value('AD_LOOKUP')),
    userBaseDns: [base],
    userFilter:
      '(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2))(|(sAMAccountName=%s)(userPrincipalName=%s)))',
    usernameAttribute: 'sAMAccountName',
    groupBaseDns: [base],
    groupFilter: '(&(objectClass=group)(member=%d))',
    nestedGroups: true,
    timeoutSeconds: 5,
    ...change,
  }
}

async function using(
  change: Partial<LdapDirectory>,
  use: (verifier: LdapVerifier) => Promise<unknown>,
): Promise<void> {
  const verifier = createLdapVerifier({
    directories: [directory(change)],
    clock: () => new Date(),
    delay: async () => {},
  })
  try {
    await use(verifier)
  } finally {
    verifier.close()
  }
}

async function login(
  verifier: LdapVerifier,
  username: string,
  password: string,
): Promise<Principal> {
  const evidence = {
    kind: 'ldap',
    username,
    password: new Secret(password),
    source: '::1',
  } as const
  const principal = await verifier.verify(evidence, new Date())
  assert.ok(principal)
  return principal
}

function refuses(attempt: Promise<unknown>, code: IdentityErrorCode): Promise<void> {
  return assert.rejects(attempt, (error) => {
    assert.ok(error instanceof IdentityError, String(error))
    assert.equal(error.code, code, String(error.cause))
    return true
  })
}

async function asAdministrator(use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({
    url: `ldaps://${lab.value('AD_ADDRESS')}:636`,
    tlsOptions: { ca: [readFileSync(lab.value('AD_CA'))] },
  })
  await client.bind('administrator@ad.daypass.test', lab.value('AD_ADMIN'))
  try {
    await use(client)
  } finally {
    await client.unbind()
  }
}

describe('logins by Active Directory ([MS-ADTS])', { skip }, () => {
  const plain = () => ({ servers: [lab.value('AD_ADDRESS')] })

  for (const startTls of [false, true]) {
    it(`lets in by account name and by principal name, ${startTls ? 'StartTLS' : 'LDAPS'}`, () =>
      using(startTls ? { ...plain(), startTls } : {}, async (verifier) => {
        for (const name of ['alice', 'alice@ad.daypass.test', 'ALICE']) {
          const alice = await login(verifier, name, lab.value('AD_ALICE'))
          assert.equal(alice.subject, `cn=alice,${users}`)
          assert.equal(alice.claims.get('ldap:username'), 'alice')
        }
        await refuses(login(verifier, 'alice', 'wrong'), 'login_refused')
      }))
  }

  it('counts groups in groups', () =>
    using({}, async (verifier) => {
      const alice = await login(verifier, 'alice', lab.value('AD_ALICE'))
      assert.deepEqual(
        [...alice.groups].toSorted(),
        ['inner', 'middle', 'outer'].map((name) => `cn=${name},${users}`),
      )
      const bob = await login(verifier, 'bob', lab.value('AD_BOB'))
      assert.deepEqual(
        [...bob.groups].toSorted(),
        ['middle', 'outer'].map((name) => `cn=${name},${users}`),
      )
    }))

  it('comes out of groups that hold each other', () =>
    using({}, async (verifier) => {
      const carol = await login(verifier, 'carol', lab.value('AD_CAROL'))
      assert.deepEqual(
        [...carol.groups].toSorted(),
        ['ring-a', 'ring-b'].map((name) => `cn=${name},${users}`),
      )
    }))

  it('counts direct groups only, when not told to follow them', () =>
    using({ nestedGroups: false }, async (verifier) => {
      const alice = await login(verifier, 'alice', lab.value('AD_ALICE'))
      assert.deepEqual(alice.groups, [`cn=inner,${users}`])
    }))

  it('takes Cyrillic, commas, slashes and stars in names', () =>
    using({}, async (verifier) => {
      const jane = await login(verifier, 'jane', lab.value('AD_JANE'))
      assert.equal(jane.subject, `cn=смит\\, jane/*,${users}`)
      const { subject } = jane
      assert.equal((await verifier.confirm({ directory: 'ad', subject })).kind, 'present')
    }))

  for (const filter of [undefined, '(sAMAccountName=%s)']) {
    it(`refuses who is disabled or has to change the password, by ${filter ?? 'the filter'}`, () =>
      using(filter === undefined ? {} : { userFilter: filter }, async (verifier) => {
        await refuses(login(verifier, 'disabled', lab.value('AD_DISABLED')), 'login_refused')
        await refuses(login(verifier, 'expired', lab.value('AD_EXPIRED')), 'login_refused')
      }))
  }

  it('takes somebody who was disabled for gone', () =>
    using({}, async (verifier) => {
      const ask = (name: string) =>
        verifier.confirm({ directory: 'ad', subject: `cn=${name},${users}` })
      assert.deepEqual(await ask('disabled'), { kind: 'gone' })
      assert.equal((await ask('bob')).kind, 'present')
    }))

  it('takes somebody who was disabled for gone where no filter asks about it', () =>
    using({ userFilter: '(sAMAccountName=%s)' }, async (verifier) => {
      const ask = (name: string) =>
        verifier.confirm({ directory: 'ad', subject: `CN=${name},${users}`, username: name })
      assert.deepEqual(await ask('disabled'), { kind: 'gone' })
      const groups = [`cn=inner,${users}`, `cn=middle,${users}`, `cn=outer,${users}`]
      const alice = await ask('alice')
      assert.deepEqual(alice.kind === 'present' && alice.groups.toSorted(), groups)
    }))

  it('ends the sessions of who is disabled or renamed, and of nobody else', async () => {
    const ended: string[] = []
    const clock = () => new Date()
    const state = new MemoryState({ clock })
    const attendance = new Attendance({
      state,
      clock,
      longestSessionSeconds: 3600,
      endSessions: async ({ subject }, why) => void ended.push(`${subject}: ${why}`),
    })
    const directories = [directory({ userFilter: '(sAMAccountName=%s)', recheckPerSecond: 1000 })]
    const verifier = createLdapVerifier({ directories, clock, delay: async () => {}, attendance })
    const departures = createDepartures({
      directories,
      attendance,
      confirm: (who) => verifier.confirm(who),
      state,
      clock,
      random: randomBytes,
      log: () => {},
      onError: (error) => assert.fail(String(error)),
    })
    const control = (value: string) =>
      new Change({
        operation: 'replace',
        modification: new Attribute({ type: 'userAccountControl', values: [value] }),
      })
    try {
      for (const name of ['alice', 'bob', 'carol']) {
        await login(verifier, name, lab.value(`AD_${name.toUpperCase()}`))
      }
      await departures.round('ad')
      assert.equal(ended.length, 0)
      await asAdministrator(async (client) => {
        await client.modify(`cn=bob,${users}`, control('514'))
        await client.modifyDN(`cn=carol,${users}`, `cn=carol married,${users}`)
      })
      await departures.round('ad')
      const why = 'the directory no longer has this person'
      assert.deepEqual(ended.toSorted(), [`cn=bob,${users}: ${why}`, `cn=carol,${users}: ${why}`])
    } finally {
      await asAdministrator(async (client) => {
        await client.modify(`cn=bob,${users}`, control('512'))
        await client.modifyDN(`cn=carol married,${users}`, `cn=carol,${users}`)
      })
      verifier.close()
    }
    await using({}, (again) => login(again, 'bob', lab.value('AD_BOB')))
  })

  it('refuses an empty password, which the directory would let in as nobody', () =>
    using({}, (verifier) => refuses(login(verifier, 'alice', ''), 'login_refused')))

  for (const name of ['*', 'a*', '*)(sAMAccountName=*', 'alice)(objectClass=*', '\\2a']) {
    it(`finds nobody by ${name}`, () =>
      using({}, (verifier) =>
        refuses(login(verifier, name, lab.value('AD_ALICE')), 'login_refused'),
      ))
  }

  it('cannot judge anybody in plain text, which the directory refuses', () =>
    using({ ...plain(), insecurePlain: true }, (verifier) =>
      refuses(login(verifier, 'alice', lab.value('AD_ALICE')), 'provider_unavailable'),
    ))
})
