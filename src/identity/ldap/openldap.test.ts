import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { Attribute, Change, Client } from 'ldapts'
import { Secret } from '../../secret.ts'
import { IdentityError } from '../identity-error.ts'
import type { IdentityErrorCode, Principal } from '../types.ts'
import { createLdapVerifier, type LdapOptions, type LdapVerifier } from './ldap-verifier.ts'
import type { LdapDirectory } from './settings.ts'
import { startDirectory, type DirectoryLab } from './testing/directory-lab.ts'
import { startTap } from './testing/tap.ts'

const started = await startDirectory('slapd')
const skip = typeof started === 'string' ? started : false
const lab = (typeof started === 'string' ? undefined : started) as DirectoryLab
const base = 'dc=daypass,dc=test'
const people = `ou=people,${base}`
const groups = `ou=groups,${base}`

if (typeof started === 'string') console.error(`SKIPPED: OpenLDAP: ${started}`)
after(() => lab?.down())

function directory(change: Partial<LdapDirectory> = {}): LdapDirectory {
  return {
    name: 'staff',
    servers: [`127.0.0.1:${lab.value('LDAPS_PORT')}`],
    caFile: lab.value('LDAP_CA'),
    lookupBindDn: lab.value('LDAP_LOOKUP_DN'),
    lookupBindPassword: new Secret(lab.value('LDAP_LOOKUP_PASSWORD')),
    userBaseDns: [people],
    userFilter: '(uid=%s)',
    groupBaseDns: [groups],
    groupFilter: '(&(objectClass=groupOfNames)(member=%d))',
    timeoutSeconds: 5,
    ...change,
  }
}

const plain = (port = Number(lab.value('LDAP_PORT'))): Partial<LdapDirectory> => ({
  servers: [`127.0.0.1:${port}`],
  insecurePlain: true,
})

async function using(
  options: Partial<LdapOptions> | Partial<LdapDirectory>,
  use: (verifier: LdapVerifier) => Promise<unknown>,
): Promise<void> {
  const own = 'directories' in options || 'delay' in options || 'throttle' in options
  const verifier = createLdapVerifier({
    directories: [directory(own ? {} : (options as Partial<LdapDirectory>))],
    clock: () => new Date(),
    delay: async () => {},
    ...(own ? options : {}),
  })
  try {
    await use(verifier)
  } finally {
    verifier.close()
  }
}

let address = 0
async function login(
  verifier: LdapVerifier,
  username: string,
  password: string,
  source = `10.0.${Math.floor((address += 1) / 250)}.${address % 250}`,
): Promise<Principal> {
  const evidence = { kind: 'ldap', username, password: new Secret(password), source } as const
  const principal = await verifier.verify(evidence, new Date())
  assert.ok(principal)
  return principal
}

async function refuses(
  attempt: Promise<unknown>,
  code: IdentityErrorCode = 'login_refused',
): Promise<IdentityError> {
  const error = await attempt.then(
    () => assert.fail('it was let in'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof IdentityError, String(error))
  assert.equal(error.code, code, String(error.cause))
  return error
}

describe('logins by OpenLDAP (RFC 4511, RFC 4513)', { skip }, () => {
  const ways = {
    'TLS from the start': () => ({}),
    StartTLS: () => ({ servers: [`127.0.0.1:${lab.value('LDAP_PORT')}`], startTls: true }),
    'plain text': () => plain(),
  }
  for (const [way, settings] of Object.entries(ways)) {
    it(`lets in who knows the password, by ${way}`, () =>
      using(settings(), async (verifier) => {
        const alice = await login(verifier, 'alice', lab.value('LDAP_ALICE'))
        assert.equal(alice.kind, 'ldap')
        assert.equal(alice.provider, 'staff')
        assert.equal(alice.subject, `uid=alice,${people}`)
        assert.equal(alice.displayName, 'alice')
        assert.equal(alice.expiresAt, undefined)
        assert.deepEqual([...alice.groups].toSorted(), [
          `cn=r&d\\, berlin,${groups}`,
          `cn=readers,${groups}`,
          `cn=writers,${groups}`,
        ])
        assert.equal(alice.claims.get('ldap:username'), 'alice')
        assert.equal(alice.claims.get('ldap:user'), `uid=alice,${people}`)
      }))

    it(`refuses a wrong password, by ${way}`, () =>
      using(settings(), async (verifier) => {
        await refuses(login(verifier, 'alice', 'wrong'))
        await refuses(login(verifier, 'alice', lab.value('LDAP_BOB')))
        await login(verifier, 'alice', lab.value('LDAP_ALICE'))
      }))
  }

  it('takes names in Cyrillic, with slashes, commas, brackets and stars', () =>
    using({ userFilter: '(|(uid=%s)(cn=%s))' }, async (verifier) => {
      const ivan = await login(verifier, 'Иван Петров', lab.value('LDAP_IVAN'))
      assert.equal(ivan.subject, `cn=иван петров,${people}`)
      assert.equal(ivan.claims.get('ldap:user'), `cn=Иван Петров,${people}`)
      assert.deepEqual(ivan.groups, [`cn=проект/альфа,${groups}`])
      const jane = await login(verifier, 'Smith, Jane', lab.value('LDAP_JANE'))
      assert.equal(jane.subject, `cn=smith\\, jane,${people}`)
      assert.deepEqual(jane.groups, [`cn=r&d\\, berlin,${groups}`])
      const ops = await login(verifier, 'Ops/Night (Köln) *', lab.value('LDAP_OPS'))
      assert.equal(ops.subject, `cn=ops/night (köln) *,${people}`)
    }))

  const injections = [
    '*',
    'a*',
    '*)(uid=*',
    'alice)(objectClass=*',
    'alice)(|(uid=*',
    '\\2a',
    '\\61lice',
    'alice\0',
    'alice)',
    '(alice',
    '%s',
    '%d',
    `uid=alice,${people}`,
    ' alice',
    'alice ',
    '',
    'x'.repeat(100_000),
    'x'.repeat(1024),
    '\ud800',
  ]
  for (const name of injections) {
    it(`finds nobody by ${JSON.stringify(name.slice(0, 30))}`, () =>
      using({}, async (verifier) => {
        await refuses(login(verifier, name, lab.value('LDAP_ALICE')))
      }))
  }

  it('puts no value into a group filter that could be read as syntax', () =>
    using(
      { userFilter: '(|(uid=%s)(cn=%s))', groupFilter: '(|(member=%d)(memberUid=%s))' },
      async (v) => {
        const ops = await login(v, 'Ops/Night (Köln) *', lab.value('LDAP_OPS'))
        assert.deepEqual(ops.groups, [])
        const bob = await login(v, 'bob', lab.value('LDAP_BOB'))
        assert.deepEqual([...bob.groups].toSorted(), [`cn=posix,${groups}`, `cn=readers,${groups}`])
      },
    ))

  it('refuses who has no password in the directory', () =>
    using({}, (verifier) => refuses(login(verifier, 'nopass', 'x'))))

  it('counts direct groups only, where the directory follows none', () =>
    using({}, async (verifier) => {
      const carol = await login(verifier, 'carol', lab.value('LDAP_CAROL'))
      assert.deepEqual(carol.groups, [])
      const alice = await login(verifier, 'alice', lab.value('LDAP_ALICE'))
      assert.ok(!alice.groups.includes(`cn=nested,${groups}`))
    }))

  it('reads more groups than the server gives at once', () =>
    using({}, async (verifier) => {
      const dora = await login(verifier, 'dora', lab.value('LDAP_DORA'))
      assert.equal(dora.groups.length, 1200)
    }))

  it('keeps the attributes that it is told to keep', () =>
    using(
      { userAttributes: ['MAIL', 'jpegPhoto', 'telephoneNumber'], usernameAttribute: 'uid' },
      async (verifier) => {
        const { claims, displayName } = await login(verifier, 'ALICE', lab.value('LDAP_ALICE'))
        assert.deepEqual(claims.get('ldapAttrib_MAIL'), [
          'alice@daypass.test',
          'alice@example.test',
        ])
        assert.deepEqual(claims.get('ldapAttrib_jpegPhoto'), ['/9j/4AA='])
        assert.equal(claims.has('ldapAttrib_telephoneNumber'), false)
        assert.equal(claims.get('ldap:username'), 'alice')
        assert.equal(displayName, 'alice')
      },
    ))

  it('refuses a name that two people have, in several places', () =>
    using({ userBaseDns: [people, `ou=contractors,${base}`] }, async (verifier) => {
      await refuses(login(verifier, 'twin', lab.value('LDAP_TWIN')))
      await login(verifier, 'alice', lab.value('LDAP_ALICE'))
    }))

  it('refuses a name that everybody has', () =>
    using({ userFilter: '(|(uid=%s)(objectClass=inetOrgPerson))' }, (verifier) =>
      refuses(login(verifier, 'alice', lab.value('LDAP_ALICE'))),
    ))

  it('refuses a name that two directories know, and lets the others in', () => {
    const contractors = { name: 'guests', userBaseDns: [`ou=contractors,${base}`] }
    return using({ directories: [directory(), directory(contractors)] }, async (verifier) => {
      await refuses(login(verifier, 'twin', lab.value('LDAP_TWIN')))
      assert.equal((await login(verifier, 'bob', lab.value('LDAP_BOB'))).provider, 'staff')
    })
  })

  describe('trust in the server', () => {
    const refusals = {
      'a certificate of nobody we know': { caFile: undefined },
      'a certificate for another name': { tlsServerName: 'other.example.org' },
      'TLS where plain text is spoken': () => ({
        servers: [`127.0.0.1:${lab.value('LDAP_PORT')}`],
      }),
      'plain text where TLS is spoken': () => plain(Number(lab.value('LDAPS_PORT'))),
      'a wrong lookup password': { lookupBindPassword: new Secret('wrong') },
      'a lookup account that may see nothing': { lookupBindPassword: undefined },
      'a place that is not there': { userBaseDns: [`ou=none,${base}`] },
    }
    for (const [what, settings] of Object.entries(refusals)) {
      it(`cannot judge anybody with ${what}`, () =>
        using(
          { timeoutSeconds: 1, ...(typeof settings === 'function' ? settings() : settings) },
          async (verifier) => {
            await refuses(login(verifier, 'alice', lab.value('LDAP_ALICE')), 'provider_unavailable')
            await refuses(login(verifier, 'alice', 'wrong'), 'provider_unavailable')
            const [status] = verifier.status()
            assert.equal(status?.ready, false)
            assert.ok(status?.error)
          },
        ))
    }

    it('refuses a certificate for another name after StartTLS too', () =>
      using(
        {
          servers: [`127.0.0.1:${lab.value('LDAP_PORT')}`],
          startTls: true,
          tlsServerName: 'other.example.org',
        },
        (v) => refuses(login(v, 'alice', lab.value('LDAP_ALICE')), 'provider_unavailable'),
      ))

    for (const id of [2, 3, 4]) {
      it(`believes no success that came in plain text before TLS, for message ${id}`, async () => {
        const forged = Buffer.from([0x30, 0x0d, 2, 1, id, 0x61, 8, 0x0a, 1, 0, 4, 0, 4, 1])
        const tap = await startTap(Number(lab.value('LDAP_PORT')), forged)
        try {
          const startTls = { servers: [`127.0.0.1:${tap.port}`], startTls: true }
          await using({ ...startTls, timeoutSeconds: 1 }, async (verifier) => {
            await assert.rejects(login(verifier, 'alice', 'wrong'), IdentityError)
          })
        } finally {
          tap.close()
        }
      })
    }

    it('takes any certificate when told to', () =>
      using({ caFile: undefined, insecureSkipVerify: true }, (verifier) =>
        login(verifier, 'alice', lab.value('LDAP_ALICE')),
      ))

    it('cannot judge anybody when the authorities cannot be read', () => {
      const caFile = join(tmpdir(), `no-ca-${process.pid}.pem`)
      writeFileSync(caFile, 'not PEM')
      return using({ caFile }, (verifier) =>
        refuses(login(verifier, 'alice', lab.value('LDAP_ALICE')), 'provider_unavailable'),
      ).finally(() => rmSync(caFile))
    })
  })

  describe('what goes over the wire', () => {
    async function tapped(
      use: (v: LdapVerifier, tap: Awaited<ReturnType<typeof startTap>>) => Promise<void>,
    ): Promise<void> {
      const tap = await startTap(Number(lab.value('LDAP_PORT')))
      try {
        await using({ ...plain(tap.port), connections: 2 }, (verifier) => use(verifier, tap))
      } finally {
        tap.close()
      }
    }

    for (const password of [
      '',
      '\0',
      'a\0b',
      '\u00AD',
      '\u200B\uFEFF',
      '\ud800',
      'x'.repeat(5000),
    ]) {
      it(`is nothing for the password ${JSON.stringify(password.slice(0, 10))}`, () =>
        tapped(async (verifier, tap) => {
          await refuses(login(verifier, 'alice', password))
          assert.equal(tap.connections(), 0)
        }))
    }

    it('is alike for an unknown name, a wrong password and a name of several', () =>
      tapped(async (verifier, tap) => {
        await refuses(login(verifier, 'alice', 'wrong'))
        const asked = async (name: string): Promise<readonly string[]> => {
          const before = tap.requests.length
          await refuses(login(verifier, name, 'wrong'))
          return tap.requests.slice(before).map(({ operation }) => operation)
        }
        assert.deepEqual(await asked('alice'), ['search', 'bind'])
        assert.deepEqual(await asked('nobody'), ['search', 'bind'])
        assert.deepEqual(await asked('*)(uid=*'), ['search', 'bind'])
      }))

    it('is never a question on a connection on which somebody logged in', () =>
      tapped(async (verifier, tap) => {
        for (const name of ['alice', 'bob', 'carol']) {
          await login(verifier, name, lab.value(`LDAP_${name.toUpperCase()}`))
          await refuses(login(verifier, name, 'wrong'))
        }
        const searched = new Set(
          tap.requests.filter((r) => r.operation === 'search').map((r) => r.connection),
        )
        const bound = tap.requests.filter((r) => r.operation === 'bind').map((r) => r.connection)
        assert.equal(tap.connections(), 2)
        for (const connection of searched) {
          assert.equal(bound.filter((one) => one === connection).length, 1)
        }
      }))

    it('takes no more connections than it may, however many log in', () =>
      tapped(async (verifier, tap) => {
        const all = Array.from({ length: 40 }, () =>
          login(verifier, 'alice', lab.value('LDAP_ALICE'), '10.9.9.9'),
        )
        const outcomes = await Promise.allSettled(all)
        assert.ok(tap.connections() <= 4, `${tap.connections()} connections`)
        assert.ok(outcomes.some(({ status }) => status === 'fulfilled'))
      }))

    it('begins anew when the directory has closed the connections', () =>
      tapped(async (verifier, tap) => {
        await login(verifier, 'alice', lab.value('LDAP_ALICE'))
        tap.cut()
        await login(verifier, 'alice', lab.value('LDAP_ALICE'))
        tap.cut()
        await new Promise((resolve) => {
          setTimeout(resolve, 50)
        })
        await refuses(login(verifier, 'alice', 'wrong'))
        assert.deepEqual(verifier.status()[0]?.connections, { lookup: 1, login: 1 })
      }))
  })

  it('asks for the same pause whatever a refusal comes of', async () => {
    const pauses: number[] = []
    const delay = async (ms: number) => void pauses.push(ms)
    const clock = () => new Date(0)
    await using({ directories: [directory()], delay, clock }, async (verifier) => {
      for (const name of ['alice', 'nobody', 'bob', 'nobody-else']) {
        await refuses(login(verifier, name, 'wrong'))
      }
    })
    assert.equal(pauses.length, 4)
    assert.equal(new Set(pauses).size, 1)
  })

  it('says the same to all who are refused, and keeps the reason to itself', () =>
    using({}, async (verifier) => {
      const errors = [
        await refuses(login(verifier, 'nobody', 'wrong')),
        await refuses(login(verifier, 'alice', 'wrong')),
        await refuses(login(verifier, 'alice', '')),
      ]
      assert.equal(new Set(errors.map(({ message }) => message)).size, 1)
      for (const { detail } of errors) assert.deepEqual(detail, {})
    }))

  it('throttles who guesses and nobody else', () =>
    using({}, async (verifier) => {
      const guesses = Array.from({ length: 10 }, () => login(verifier, 'bob', 'wrong', '10.1.1.1'))
      const codes = (await Promise.allSettled(guesses)).map((one) =>
        one.status === 'rejected' ? (one.reason as IdentityError).code : 'let in',
      )
      assert.equal(codes.filter((code) => code === 'login_refused').length, 6)
      assert.equal(codes.filter((code) => code === 'throttled').length, 4)
      const error = await refuses(
        login(verifier, 'bob', lab.value('LDAP_BOB'), '10.1.1.1'),
        'throttled',
      )
      assert.ok(Number(error.detail['retryAfterSeconds']) > 0)
      await login(verifier, 'bob', lab.value('LDAP_BOB'), '10.1.1.2')
      await login(verifier, 'alice', lab.value('LDAP_ALICE'), '10.1.1.1')
    }))

  it('does not hold it against the caller that the directory was away', () =>
    using({ servers: ['127.0.0.1:1'], insecurePlain: true }, async (verifier) => {
      for (let tries = 0; tries < 40; tries += 1) {
        await refuses(login(verifier, 'alice', 'x', '10.2.2.2'), 'provider_unavailable')
      }
    }))

  it('goes to the next server when one is away', () =>
    using(
      { servers: ['127.0.0.1:1', `127.0.0.1:${lab.value('LDAPS_PORT')}`] },
      async (verifier) => {
        await login(verifier, 'alice', lab.value('LDAP_ALICE'))
        const [first, second] = verifier.status()[0]?.servers ?? []
        assert.ok(first?.error)
        assert.equal(second?.error, undefined)
      },
    ))

  it('finds its servers by SRV records, and checks the certificate for the domain', async () => {
    const record = { name: 'localhost', port: Number(lab.value('LDAPS_PORT')), weight: 1 }
    const asked: string[] = []
    const srv = directory({ servers: undefined, srvRecord: '_ldaps._tcp.directory.daypass.test' })
    const options = (directories: LdapDirectory[]) => ({
      directories,
      resolveSrv: async (name: string) => {
        asked.push(name)
        return [
          { ...record, priority: 20 },
          { ...record, port: 1, priority: 10 },
        ]
      },
    })
    await using(options([srv]), (verifier) => login(verifier, 'alice', lab.value('LDAP_ALICE')))
    assert.equal(asked[0], '_ldaps._tcp.directory.daypass.test')
    const foreign = { ...srv, srvRecord: '_ldaps._tcp.example.org' }
    await using(options([foreign]), (verifier) =>
      refuses(login(verifier, 'alice', lab.value('LDAP_ALICE')), 'provider_unavailable'),
    )
  })

  it('lets in through one directory while another is away, and judges nobody wrong', () => {
    const away = directory({ name: 'away', servers: ['127.0.0.1:1'] })
    return using({ directories: [away, directory()] }, async (verifier) => {
      await login(verifier, 'alice', lab.value('LDAP_ALICE'))
      await refuses(login(verifier, 'alice', 'wrong'), 'provider_unavailable')
      await refuses(login(verifier, 'nobody', 'wrong'), 'provider_unavailable')
      assert.deepEqual(
        verifier.status().map(({ ready }) => ready),
        [false, true],
      )
    })
  })

  it(
    'makes nobody wait for another directory that has fallen silent',
    { timeout: 30_000 },
    async (t) => {
      let isSilent = false
      const silent = createServer((socket) => {
        socket.on('error', () => {})
        socket.on('data', () => isSilent || socket.destroy())
      })
      silent.listen(0, '127.0.0.1')
      await once(silent, 'listening')
      const sockets = new Set<Socket>()
      silent.on('connection', (socket) => sockets.add(socket))
      t.after(() => {
        silent.close()
        for (const socket of sockets) socket.destroy()
      })
      const { port } = silent.address() as AddressInfo
      const away = directory({ name: 'away', ...plain(port), timeoutSeconds: 60 })
      await using({ directories: [away, directory()] }, async (verifier) => {
        await login(verifier, 'alice', lab.value('LDAP_ALICE'))
        isSilent = true
        // Longer than a test may take, were it waited for.
        await login(verifier, 'alice', lab.value('LDAP_ALICE'))
        await refuses(login(verifier, 'alice', 'wrong'), 'provider_unavailable')
      })
    },
  )

  describe('what becomes of people', () => {
    async function asAdmin(use: (client: Client) => Promise<void>): Promise<void> {
      const client = new Client({ url: `ldap://127.0.0.1:${lab.value('LDAP_PORT')}` })
      await client.bind(lab.value('LDAP_ADMIN_DN'), lab.value('LDAP_ADMIN_PASSWORD'))
      try {
        await use(client)
      } finally {
        await client.unbind()
      }
    }

    /** Entries are given their ids by the directory. */
    async function withoutId(
      verifier: LdapVerifier,
      who: Parameters<LdapVerifier['confirm']>[0],
    ): Promise<object> {
      const presence = await verifier.confirm(who)
      if (presence.kind === 'gone') return presence
      const { entryId, ...rest } = presence
      assert.match(entryId ?? '', /^[0-9a-f-]{36}$/)
      return rest
    }

    it('says who is still there, and in which groups', () =>
      using({}, async (verifier) => {
        const ask = (subject: string) => withoutId(verifier, { directory: 'staff', subject })
        const ivan = await login(verifier, 'ivan', lab.value('LDAP_IVAN'))
        assert.deepEqual(await ask(ivan.subject), {
          kind: 'present',
          groups: [`cn=проект/альфа,${groups}`],
        })
        const jane = await login(verifier, 'jane', lab.value('LDAP_JANE'))
        assert.deepEqual(await ask(jane.subject), {
          kind: 'present',
          groups: [`cn=r&d\\, berlin,${groups}`],
        })
        assert.deepEqual(await ask(`uid=nobody,${people}`), { kind: 'gone' })
        assert.deepEqual(await ask(`cn=lookup,ou=services,${base}`), { kind: 'gone' })
        assert.deepEqual(await ask(people), { kind: 'gone' })
        await refuses(verifier.confirm({ directory: 'none', subject: people }), 'no_provider')
      }))

    it('sees that somebody was removed, or left a group', () =>
      using({}, async (verifier) => {
        const dn = `uid=leaver,${people}`
        const subject = { directory: 'staff', subject: dn }
        const member = (operation: 'add' | 'delete') =>
          new Change({ operation, modification: new Attribute({ type: 'member', values: [dn] }) })
        await asAdmin(async (client) => {
          await client.add(dn, { objectClass: 'inetOrgPerson', uid: 'leaver', cn: 'x', sn: 'x' })
          await client.modify(`cn=readers,${groups}`, member('add'))
        })
        assert.deepEqual(await withoutId(verifier, subject), {
          kind: 'present',
          groups: [`cn=readers,${groups}`],
        })
        await asAdmin((client) => client.modify(`cn=readers,${groups}`, member('delete')))
        assert.deepEqual(await withoutId(verifier, subject), { kind: 'present', groups: [] })
        await asAdmin((client) => client.del(dn))
        assert.deepEqual(await withoutId(verifier, subject), { kind: 'gone' })
      }))

    it('takes nobody for gone because the lookup account may see nothing', () =>
      using({ lookupBindPassword: undefined }, (verifier) =>
        refuses(
          verifier.confirm({ directory: 'staff', subject: `uid=alice,${people}` }),
          'provider_unavailable',
        ),
      ))

    it('knows people and groups by any spelling of their names', () =>
      using({}, async (verifier) => {
        const alice = { dn: `uid=alice,${people}` }
        assert.deepEqual(await verifier.findUser('staff', 'alice'), { ...alice, username: 'alice' })
        assert.deepEqual(await verifier.findUser('staff', `UID=Alice, OU=People,${base}`), alice)
        assert.equal(await verifier.findUser('staff', 'nobody'), undefined)
        assert.equal(await verifier.findUser('staff', ''), undefined)
        assert.deepEqual(await verifier.findGroup('staff', `CN=ПРОЕКТ/альфа,${groups}`), {
          dn: `cn=проект/альфа,${groups}`,
        })
        assert.equal(await verifier.findGroup('staff', `uid=alice,${people}`), undefined)
        assert.equal(await verifier.findGroup('staff', 'readers'), undefined)
      }))
  })

  it('leaves evidence of another kind to others', () =>
    using({}, async (verifier) => {
      const token = { kind: 'custom-token', token: new Secret('x'), roleArn: 'r' } as const
      assert.equal(await verifier.verify(token, new Date()), undefined)
    }))
})
