import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Grant } from '../grants/index.ts'
import {
  createSessions,
  CredentialsError,
  issueShared,
  openSharedKeyFolder,
  parseSharedKeys,
  withSharedKeys,
} from './index.ts'
import type { Credentials } from './index.ts'
import { ringKey } from './ring-key.ts'
import { boundGrant, boundTenant } from './testing/bound-grant.ts'
import { openCredentialsRoom, type CredentialsRoom } from './testing/credentials-room.ts'
import { janesGrant } from './testing/grants.ts'

const [first, second] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb'] as const
const newKey = (): string => randomBytes(32).toString('base64')

type Texts = Readonly<Record<string, string>>
const keysOf = (texts: Texts) => parseSharedKeys(new Map(Object.entries(texts)))

/** A server of the tenant: its own ring, and a folder of shared keys as Kubernetes mounts one. */
async function openServer(t: TestContext, texts: Texts) {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-shared-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const mount = (now: Texts): void => {
    for (const name of Object.keys(texts)) rmSync(join(dir, name), { force: true })
    for (const [name, text] of Object.entries(now)) writeFileSync(join(dir, name), text)
  }
  mount(texts)
  const room = await openCredentialsRoom()
  t.after(() => room.close())
  const errors: unknown[] = []
  const folder = openSharedKeyFolder({
    dir,
    tenant: boundTenant,
    onError: (error) => errors.push(error),
  })
  t.after(() => folder.close())
  const { revocations, ring, clock } = room
  const ground = { clock: clock.now, random: randomBytes }
  const sessions = createSessions({ ...ground, ring: withSharedKeys(ring, folder), revocations })
  return { dir, mount, room, folder, sessions, ground, errors }
}

type Server = Awaited<ReturnType<typeof openServer>>

const issue = ({ ground }: Pick<Server, 'ground'>, texts: Texts, grant = boundGrant()) =>
  issueShared(grant, keysOf(texts), ground)

async function open({ sessions, ground }: Server, credentials: Credentials) {
  const { session, secretAccessKey } = await sessions.open(
    credentials.accessKeyId,
    credentials.sessionToken,
  )
  assert.ok(secretAccessKey.equals(credentials.secretAccessKey))
  sessions.assertLive(session, ground.clock())
  return session
}

const refuses = (promise: Promise<unknown>, code = 'token_invalid') =>
  assert.rejects(promise, (error) => error instanceof CredentialsError && error.code === code)

/** What somebody who got hold of a shared key could seal: anything at all. */
function forge(room: CredentialsRoom, text: string, id: string, grant: Grant): Credentials {
  const activeKey = ringKey(id, createSecretKey(Buffer.from(text, 'base64')))
  const ring = { activeKey, find: () => undefined, fetch: () => Promise.resolve(undefined) }
  const { revocations, clock } = room
  return createSessions({ ring, revocations, clock: clock.now, random: randomBytes }).issue(grant)
}

describe('keys that an operator and the servers of a tenant share', () => {
  it('open what the operator sealed for this tenant, with all that was decided', async (t) => {
    const texts = { active: first, [first]: newKey() }
    const server = await openServer(t, texts)
    const session = await open(server, issue(server, texts))
    const { source, principal, tags, sealingKey } = session
    const { trace: _, ...granted } = boundGrant()
    assert.deepEqual(
      { source, principal, tags },
      {
        source: granted.source,
        principal: granted.principal,
        tags: granted.tags,
      },
    )
    assert.equal(sealingKey, first)
  })

  it('leave the sessions of the server itself as they were', async (t) => {
    const server = await openServer(t, { active: first, [first]: newKey() })
    const session = await open(server, server.sessions.issue(janesGrant()))
    assert.equal(session.sealingKey, server.room.ring.activeKey.id)
  })

  const forgeries: Readonly<Record<string, Partial<Grant>>> = {
    'a session of root': { source: { kind: 'root' } },
    'a session of a user': { source: { kind: 'user', name: 'alice' } },
    'a session of a role': { source: { kind: 'role', arn: 'arn:x', name: 'x' } },
    'a session of named policies': { source: { kind: 'policies', names: ['consoleAdmin'] } },
    'a session of somebody of a directory': { source: { kind: 'ldap', user: 'cn=a' } },
    'what no binding gave': {
      source: { kind: 'binding', bindings: [], names: ['readwrite'], documents: [] },
    },
    'a session of another tenant': { tenant: 'store/other' },
    'a session of the tenant that the server is to itself': { tenant: 'default' },
    'somebody who is no service account': { principal: janesGrant().principal },
    'a session that goes by the name of root': { way: 'session-token' },
    'a session that goes by a name of its own': { way: 'federation' },
    'a source identity': { sourceIdentity: 'alice' },
    'a session made from another': { lineage: { parentAccessKeyId: 'ASIA' } },
    'a session with ancestors': {
      lineage: {
        ancestors: [
          { accessKeyId: 'A', sealingKey: 'k', issuedAt: new Date(0), source: { kind: 'root' } },
        ],
      },
    },
  }
  for (const [what, changes] of Object.entries(forgeries)) {
    it(`do not open ${what}, and do not seal it`, async (t) => {
      const texts = { active: first, [first]: newKey() }
      const server = await openServer(t, texts)
      const forged = forge(server.room, texts[first] ?? '', first, boundGrant(changes))
      await refuses(open(server, forged))
      if (changes.tenant === undefined) {
        assert.throws(() => issue(server, texts, boundGrant(changes)), TypeError)
      }
    })
  }

  it('do not open what only looks like a session', async (t) => {
    const texts = { active: first, [first]: newKey() }
    const server = await openServer(t, texts)
    const forged = boundGrant({ tenant: 7 as unknown as string })
    await refuses(open(server, forge(server.room, texts[first] ?? '', first, forged)))
  })

  it('give nobody a session that begins long after now, which no revocation would meet', async (t) => {
    const texts = { active: first, [first]: newKey() }
    const server = await openServer(t, texts)
    const at = (minutes: number) => new Date(server.ground.clock().getTime() + minutes * 60_000)
    const ahead = (minutes: number) => {
      const grant = boundGrant({ issuedAt: at(minutes), expiresAt: at(minutes + 60) })
      const activeKey = ringKey(first, createSecretKey(Buffer.from(texts[first] ?? '', 'base64')))
      const ring = { activeKey, find: () => undefined, fetch: () => Promise.resolve(undefined) }
      const { revocations } = server.room
      return createSessions({
        ring,
        revocations,
        clock: () => at(minutes),
        random: randomBytes,
      }).issue(grant)
    }
    await refuses(open(server, ahead(20)))
    await open(server, ahead(5))
  })

  it('do not open the token of a key that is not there, nor one of another key of that name', async (t) => {
    const server = await openServer(t, { active: first, [first]: newKey() })
    await refuses(open(server, issue(server, { active: second, [second]: newKey() })))
    await refuses(open(server, issue(server, { active: first, [first]: newKey() })))
  })

  it('never stand in the place of a key of the ring', async (t) => {
    const server = await openServer(t, { active: first, [first]: newKey() })
    const { id } = server.room.ring.activeKey
    const text = newKey()
    server.mount({ active: id, [id]: text })
    await server.folder.refresh()
    await refuses(open(server, forge(server.room, text, id, boundGrant())))
    await open(server, server.sessions.issue(janesGrant()))
  })

  it('change without ending sessions: new key added, made active, old one gone at last', async (t) => {
    const [old, young] = [newKey(), newKey()]
    const server = await openServer(t, { active: first, [first]: old })
    const before = issue(server, { active: first, [first]: old })
    await open(server, before)
    // The operator may be ahead: a key that is not known yet is looked for when its first token comes.
    const both = { active: second, [first]: old, [second]: young }
    server.mount(both)
    await open(server, issue(server, both))
    await open(server, before)
    server.mount({ active: second, [second]: young })
    await server.folder.refresh()
    await refuses(open(server, before))
  })

  it('close with a key that was replaced under its own name, for sessions that were open already', async (t) => {
    const texts = { active: first, [first]: newKey() }
    const server = await openServer(t, texts)
    const credentials = issue(server, texts)
    await open(server, credentials)
    server.mount({ active: first, [first]: newKey() })
    await server.folder.refresh()
    await refuses(open(server, credentials))
  })

  it('stay as they were while the folder makes no sense', async (t) => {
    const texts = { active: first, [first]: newKey() }
    const server = await openServer(t, texts)
    server.mount({ active: second, [first]: texts[first] ?? '' })
    await assert.rejects(server.folder.refresh(), /"active" must hold the id/)
    await open(server, issue(server, texts))
  })

  it('are read as Kubernetes mounts them, by links', async (t) => {
    const texts = { active: first, [first]: newKey() }
    const server = await openServer(t, texts)
    const data = join(server.dir, '..2026_01_01')
    mkdirSync(data)
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(join(data, name), `${text}\n`)
      unlinkSync(join(server.dir, name))
    }
    symlinkSync('..2026_01_01', join(server.dir, '..data'))
    for (const name of Object.keys(texts)) symlinkSync(`..data/${name}`, join(server.dir, name))
    await server.folder.refresh()
    await open(server, issue(server, texts))
  })

  it('end with revocation: by principal, binding, cluster, tenant and role', async (t) => {
    const roleArn = 'arn:aws:iam::000000000000:role/web'
    const rules = [
      { principal: 'web-identity:5:local:system:serviceaccount:shop:web' },
      { policySource: 'binding/daypass.dev/Binding/store/web' },
      { provider: 'local' },
      { tenant: boundTenant },
      { role: roleArn },
      { sealingKey: first },
    ]
    for (const rule of rules) {
      const texts = { active: first, [first]: newKey() }
      const server = await openServer(t, texts)
      const source = { ...boundGrant().source, roleArn } as Grant['source']
      const credentials = issue(server, texts, boundGrant({ source }))
      await open(server, credentials)
      await server.room.revocations.revoke({ ...rule, reason: 'test' })
      await refuses(open(server, credentials), 'session_revoked')
    }
  })
})

describe('a Secret with session keys', () => {
  const good = newKey()
  const wrong: Readonly<Record<string, readonly [Texts, RegExp]>> = {
    'that is empty': [{}, /there is none/],
    'without an active key': [{ [first]: good }, /"active" must hold/],
    'whose active key is not there': [{ active: second, [first]: good }, /there are aaaa/],
    'with a key that is too short': [{ active: first, [first]: 'YWJj' }, /no session key/],
    'with a key that is no base64': [{ active: first, [first]: `${good}!` }, /no session key/],
    'with a key under another kind of name': [{ active: 'k1', k1: good }, /no session key/],
  }
  for (const [what, [texts, words]] of Object.entries(wrong)) {
    it(`${what} is refused, and shows no key`, () => {
      assert.throws(
        () => keysOf(texts),
        (error) => {
          assert.ok(error instanceof Error)
          assert.match(error.message, words)
          assert.ok(!error.message.includes(good))
          return true
        },
      )
    })
  }

  it('that is no folder stops the start, and says so', () => {
    const options = { dir: '/nowhere/at/all', tenant: boundTenant, onError: () => undefined }
    assert.throws(() => openSharedKeyFolder(options), /the folder of shared session keys \/nowhere/)
  })

  it('seals nothing when its active key is none of the keys', () => {
    const ground = { clock: () => new Date(), random: randomBytes }
    const none = { active: first, keys: new Map<string, Buffer>() }
    assert.throws(() => issueShared(boundGrant(), none, ground), /none of the shared session keys/)
  })
})
