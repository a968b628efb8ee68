import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { Client } from 'ldapts'
import { startDirectory } from '../../src/identity/ldap/testing/directory-lab.ts'
import { startTap } from '../../src/identity/ldap/testing/tap.ts'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { daypass } from './programs.ts'
import { until } from './until.ts'

type Keys = Readonly<{ accessKeyId: string; secretAccessKey: string; sessionToken: string }>

const lab = await startDirectory('slapd')
if (typeof lab === 'string') console.error(`SKIPPED: LDAP: ${lab}`)
const value = (name: string): string => (typeof lab === 'string' ? '' : lab.value(name))
const base = 'dc=daypass,dc=test'
const readers = `cn=readers,ou=groups,${base}`
const password = 'Pw-of-the-leaver'

/** Two directories in one server: they have the very same groups, and each has people of its own. */
function configuration(port: number): string {
  const directory = (name: string, who: string): string => `
  - name: ${name}
    servers: [127.0.0.1:${port}]
    insecurePlain: true
    lookupBindDn: ${value('LDAP_LOOKUP_DN')}
    lookupBindPassword: { env: LOOKUP_PASSWORD }
    userBaseDns: ["ou=people,${base}"]
    userFilter: (&(uid=%s)${who})
    groupBaseDns: ["ou=groups,${base}"]
    groupFilter: (member=%d)
    timeoutSeconds: 2
    recheckSeconds: 1`
  return `ldap:${directory('staff', '(!(uid=bob))')}${directory('guests', '(uid=bob)')}\n`
}

describe('people of two directories', { skip: typeof lab === 'string' && lab }, () => {
  let server: DaypassServer
  let tap: Awaited<ReturnType<typeof startTap>>

  before(async () => {
    tap = await startTap(Number(value('LDAP_PORT')))
    server = await startDaypass({
      config: configuration(tap.port),
      env: { LOOKUP_PASSWORD: value('LDAP_LOOKUP_PASSWORD') },
    })
    const root = s3(server.root)
    await root.send(new CreateBucketCommand({ Bucket: 'shared' }))
    await root.send(new PutObjectCommand({ Bucket: 'shared', Key: 'k', Body: 'hello' }))
  })
  after(async () => {
    await server.stop()
    tap.close()
    if (typeof lab !== 'string') await lab.down()
  })

  const admin = async (...words: readonly string[]): Promise<string> => {
    const { code, out, error } = await daypass(server, ['admin', ...words])
    assert.equal(code, 0, error)
    return out.toString()
  }
  const ask = (name: string, secret: string): Promise<Response> =>
    fetch(server.endpoint, {
      method: 'POST',
      body: new URLSearchParams({
        Action: 'AssumeRoleWithLDAPIdentity',
        Version: '2011-06-15',
        LDAPUsername: name,
        LDAPPassword: secret,
      }),
    })
  const login = async (name: string, secret: string): Promise<Keys> => {
    const xml = await (await ask(name, secret)).text()
    const element = (tag: string): string => new RegExp(`<${tag}>([^<]+)<`).exec(xml)?.[1] ?? ''
    assert.match(element('AccessKeyId'), /^ASIA/, xml)
    return {
      accessKeyId: element('AccessKeyId'),
      secretAccessKey: element('SecretAccessKey'),
      sessionToken: element('SessionToken'),
    }
  }
  const s3 = (credentials: Keys | DaypassServer['root']): S3Client =>
    new S3Client({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials,
      forcePathStyle: true,
    })
  /** `lives`, or the code of the refusal. */
  const fateOf = async (credentials: Keys): Promise<string> => {
    const get = new GetObjectCommand({ Bucket: 'shared', Key: 'k' })
    return s3(credentials)
      .send(get)
      .then(
        () => 'lives',
        (error: unknown) => (error instanceof Error ? error.name : String(error)),
      )
  }
  async function asDirectoryAdmin(use: (client: Client) => Promise<void>): Promise<void> {
    const client = new Client({ url: `ldap://127.0.0.1:${value('LDAP_PORT')}` })
    await client.bind(value('LDAP_ADMIN_DN'), value('LDAP_ADMIN_PASSWORD'))
    try {
      await use(client)
    } finally {
      await client.unbind()
    }
  }

  it('have what is attached in their own directory, though groups have the same names', async () => {
    await admin('ldap', 'attach', readers.toUpperCase(), 'readonly', '--directory', 'guests')
    await login('bob', value('LDAP_BOB'))
    assert.equal((await ask('alice', value('LDAP_ALICE'))).status, 403)
    const listed = JSON.parse(await admin('ldap', 'ls', '--json')) as unknown
    assert.deepEqual(listed, [
      { kind: 'ldap-group', name: readers, directory: 'guests', policy: 'readonly' },
    ])
    const nowhere = ['admin', 'ldap', 'attach', readers, 'readonly', '--directory', 'nowhere']
    const { code, error } = await daypass(server, nowhere)
    assert.notEqual(code, 0)
    assert.match(error, /no directory named "nowhere"; there are: staff, guests/)
    // Nobody said which: the first that has such names.
    await admin('ldap', 'attach', readers, 'readwrite')
    const alice = await login('alice', value('LDAP_ALICE'))
    assert.equal(await fateOf(alice), 'lives')
    await admin('ldap', 'detach', readers, 'readwrite', '--directory', 'staff')
    assert.equal(await fateOf(alice), 'AccessDenied')
  })

  it('lose their sessions to a revocation by any spelling of their name, and by the login name', async () => {
    for (const name of [`UID=Bob, OU=People,${base}`, 'BOB']) {
      const bob = await login('bob', value('LDAP_BOB'))
      await admin('sessions', 'revoke', '--principal', 'staff', `uid=bob,ou=people,${base}`)
      assert.equal(await fateOf(bob), 'lives')
      await admin('sessions', 'revoke', '--principal', 'guests', name)
      assert.equal(await fateOf(bob), 'ExpiredToken', name)
    }
    const nobody = ['admin', 'sessions', 'revoke', '--principal', 'guests', 'nobody']
    const { code, error } = await daypass(server, nobody)
    assert.notEqual(code, 0)
    assert.match(error, /give the distinguished name/)
  })

  it('lose them when the directory loses them, and not while it is away', async () => {
    const dn = `uid=leaver,ou=people,${base}`
    await admin('ldap', 'attach', dn, 'readonly', '--kind', 'user')
    await asDirectoryAdmin((client) =>
      client.add(dn, {
        objectClass: 'inetOrgPerson',
        uid: 'leaver',
        cn: 'x',
        sn: 'x',
        userPassword: password,
      }),
    )
    const leaver = await login('leaver', password)
    const bob = await login('bob', value('LDAP_BOB'))
    // Several rounds go by without an answer, then some with one.
    tap.away = true
    tap.cut()
    await until('a round finds nobody to ask', () => server.output().includes('person_unchecked'))
    assert.deepEqual([await fateOf(leaver), await fateOf(bob)], ['lives', 'lives'])
    tap.away = false
    await asDirectoryAdmin((client) => client.del(dn))
    await until('the session ends', async () => (await fateOf(leaver)) === 'ExpiredToken')
    assert.equal(await fateOf(bob), 'lives')
    await until('the log says so', () => server.output().includes('person_gone'))
    const rules = await admin('revocations', 'ls')
    assert.match(
      rules,
      /uid=leaver,ou=people,dc=daypass,dc=test of staff .*no longer has this person/,
    )
  })
})
