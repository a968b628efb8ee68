import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ApiError, type ApiAnswer, type ClusterApi } from './api.ts'
import { ClusterDirectory } from './directory.ts'
import { createReach } from './reach.ts'
import { createKeyReader } from './secrets.ts'
import { tenant } from './testing/cluster-lab.ts'

const id = 'abcdefgh234567ab'
const sessionKey = Buffer.alloc(32, 7).toString('base64')

/** An API server that holds what it is given, and counts the questions. */
function open() {
  const held = new Map<string, Readonly<Record<string, string>>>()
  const asked: string[] = []
  let answer: (() => ApiAnswer | Error) | undefined
  let now = new Date('2026-01-01T00:00:00Z')
  const api: ClusterApi = {
    server: 'https://10.0.0.1',
    ca: undefined,
    async send(path) {
      asked.push(path)
      await new Promise(setImmediate)
      const given = answer?.()
      if (given instanceof Error) throw given
      if (given) return given
      const [, , , , namespace, kind, name] = path.split('/')
      const values = held.get(`${kind}/${namespace}/${name}`)
      if (values === undefined) return { status: 404, text: '{}' }
      const isText = kind === 'configmaps'
      const data = Object.fromEntries(
        Object.entries(values).map(([key, text]) => [
          key,
          isText ? text : Buffer.from(text).toString('base64'),
        ]),
      )
      return { status: 200, text: JSON.stringify({ kind: isText ? 'ConfigMap' : 'Secret', data }) }
    },
    watch: () => Promise.reject(new Error('nobody watches here')),
    close: () => Promise.resolve(),
  }
  const directory = new ClusterDirectory({
    homeCluster: 'local',
    clusterDomain: 'cluster.local',
    insecureHttpTenants: false,
    watchedNamespaces: [],
    onChange: () => undefined,
  })
  const keys = createKeyReader({ api, staleAfterSeconds: 600, clock: () => now })
  const reach = createReach({ directory, keys, minioAuthorities: async () => 'minio pem' })
  return {
    directory,
    asked,
    held,
    keys,
    pass: (seconds: number) => (now = new Date(now.getTime() + seconds * 1000)),
    answerWith: (next: typeof answer) => (answer = next),
    assumeRole: (spec: object = {}) => {
      directory.targetFor('Tenant').put(tenant('store', 'main', spec))
      const target = reach('store/main')
      assert.ok(target?.kind === 'assume-role')
      return target
    },
    gateway: () => {
      const target = { gateway: { sessionKeysSecretRef: { name: 'keys' } } }
      directory.targetFor('Tenant').put(tenant('store', 'main', { target }))
      const found = reach('store/main')
      assert.ok(found?.kind === 'gateway')
      return found
    },
    reach,
  }
}

describe('how a tenant is reached', () => {
  it('is not known of one that there is not', () => {
    assert.equal(open().reach('store/main'), undefined)
  })

  it('is by its Secret of credentials, in its own namespace', async () => {
    const { held, assumeRole } = open()
    held.set('secrets/store/broker', { accessKeyId: 'AK\n', secretAccessKey: 'sk\n' })
    const found = await assumeRole().credentials()
    assert.equal(found.accessKeyId, 'AK')
    assert.equal(found.secretAccessKey.reveal(), 'sk')
    assert.equal(found.sessionToken, undefined)
    assert.equal(await assumeRole().ca(), undefined)
  })

  it('fails with the name of what is missing, and shows no secret', async () => {
    const { held, assumeRole, gateway, pass } = open()
    const broken: readonly (readonly [Record<string, string> | undefined, RegExp])[] = [
      [undefined, /no Secret broker in namespace store/],
      [{ accessKeyId: 'AK' }, /broker has no secretAccessKey/],
      [{ accessKeyId: ' ', secretAccessKey: 'hidden' }, /broker has no accessKeyId/],
    ]
    for (const [values, message] of broken) {
      if (values) held.set('secrets/store/broker', values)
      pass(31)
      await assert.rejects(assumeRole().credentials(), (error: Error) => {
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /hidden/)
        return true
      })
    }
    const keys: readonly Record<string, string>[] = [
      {},
      { active: id },
      { [id]: sessionKey },
      { active: 'x', [id]: sessionKey },
      { active: id, [id]: sessionKey.slice(4) },
      { active: id, [id]: `${sessionKey}${sessionKey}` },
      { active: 'short', short: sessionKey },
      { active: id, [id]: sessionKey, note: 'hello' },
    ]
    for (const values of keys) {
      held.set('secrets/store/keys', values)
      pass(31)
      await assert.rejects(gateway().sessionKeys(), /^Error: Secret keys in namespace store: /)
    }
    held.set('secrets/store/keys', { active: `${id}\n`, [id]: `${sessionKey}\n` })
    pass(31)
    const found = await gateway().sessionKeys()
    assert.equal(found.active, id)
    assert.equal(found.keys.get(id)?.length, 32)
  })

  it('trusts the authority that is named, in a Secret or a ConfigMap', async () => {
    const { held, assumeRole } = open()
    held.set('configmaps/store/ca', { 'ca.crt': 'pem one' })
    held.set('secrets/store/ca', { root: 'pem two' })
    const { target } = (tenant('store', 'main')['spec'] ?? {}) as { target: { assumeRole: object } }
    const withCa = (more: object) =>
      assumeRole({ target: { assumeRole: { ...target.assumeRole, ...more } } })
    assert.equal(await withCa({ caConfigMapRef: { name: 'ca' } }).ca(), 'pem one')
    assert.equal(await withCa({ caSecretRef: { name: 'ca', key: 'root' } }).ca(), 'pem two')
    await assert.rejects(withCa({ caSecretRef: { name: 'ca' } }).ca(), /ca has no ca\.crt/)
    await assert.rejects(
      withCa({ caSecretRef: { name: 'other' } }).ca(),
      /no other among the secrets of namespace store/,
    )
  })

  it('of MinIO has root credentials in config.env, and the authorities of the operator', async () => {
    const { held, directory, reach, pass } = open()
    const object = {
      metadata: { namespace: 'store', name: 'old' },
      spec: { configuration: { name: 'env' } },
    }
    directory.targetFor('MinioTenant').put(object)
    held.set('secrets/store/env', { 'config.env': 'export MINIO_ROOT_USER="root"\n' })
    const target = reach('store/old')
    assert.ok(target?.kind === 'assume-role')
    await assert.rejects(
      target.credentials(),
      /config\.env sets no MINIO_ROOT_USER and MINIO_ROOT_PASSWORD/,
    )
    held.set('secrets/store/env', {
      'config.env': 'export MINIO_ROOT_USER="root"\nexport MINIO_ROOT_PASSWORD="p"',
    })
    pass(31)
    assert.equal((await target.credentials()).accessKeyId, 'root')
    assert.equal(await target.ca(), 'minio pem')
  })

  it('takes policies from where the tenant says', () => {
    const { directory, assumeRole } = open()
    const Statement = [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]
    const spec = { document: { Version: '2012-10-17', Statement } }
    directory.targetFor('Policy').put({ metadata: { namespace: 'store', name: 'team' }, spec })
    const ways = (['both', 'resources', 'tenant'] as const).map((policySource) => {
      const target = assumeRole({ policySource })
      return [target.findPolicy('team') !== undefined, target.asksTenant]
    })
    assert.deepEqual(ways, [
      [true, true],
      [true, false],
      [false, true],
    ])
  })
})

describe('Secrets', () => {
  const forbidden = () => ({ status: 403, text: '{"reason":"Forbidden"}' })

  it('are read once for all who ask, and again after half a minute', async () => {
    const { held, keys, asked, pass } = open()
    held.set('secrets/store/a', { x: '1' })
    const read = () => keys.read('secrets', 'store', 'a')
    await Promise.all([read(), read(), read()])
    await read()
    assert.deepEqual(asked, ['/api/v1/namespaces/store/secrets/a'])
    held.set('secrets/store/a', { x: '2' })
    pass(29)
    assert.equal((await read())?.get('x')?.toString(), '1')
    pass(2)
    assert.equal((await read())?.get('x')?.toString(), '2')
    held.delete('secrets/store/a')
    pass(31)
    assert.equal(await read(), undefined)
    assert.equal(asked.length, 3)
  })

  it('count as they were while the API server is away, for the stated time', async () => {
    const { held, keys, asked, pass, answerWith } = open()
    held.set('secrets/store/a', { x: '1' })
    const read = async () => (await keys.read('secrets', 'store', 'a'))?.get('x')?.toString()
    await read()
    answerWith(() => new Error('away'))
    pass(31)
    assert.equal(await read(), '1')
    assert.equal(await read(), '1')
    assert.equal(asked.length, 2, 'not asked by each caller in turn')
    answerWith(() => ({ status: 503, text: '' }))
    pass(31)
    assert.equal(await read(), '1')
    pass(539)
    await assert.rejects(read())
    answerWith(undefined)
    assert.equal(await read(), '1')
  })

  it('do not count any more at once when the right to them is gone', async () => {
    const { held, keys, pass, answerWith } = open()
    held.set('secrets/store/a', { x: '1' })
    await keys.read('secrets', 'store', 'a')
    answerWith(forbidden)
    pass(31)
    const refused = (error: unknown) => error instanceof ApiError && error.code === 'Forbidden'
    await assert.rejects(keys.read('secrets', 'store', 'a'), refused)
    answerWith(() => new Error('away'))
    await assert.rejects(keys.read('secrets', 'store', 'a'))
  })
})
