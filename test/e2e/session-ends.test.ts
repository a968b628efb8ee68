import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand } from '@aws-sdk/client-s3'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateUserCommand,
  IAMClient,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import { startKube, type KubeLab } from '../labs/kube-lab.ts'
import {
  fillBucket,
  installKinds,
  policyBinding,
  resource,
  startGatewayTenant,
  type GatewayTenant,
} from './cluster-scene.ts'
import { assumeRole, refusalOf, region, s3Client, type Keys } from './keys.ts'
import { exchange, keysOf, startOperator, untilReady, type Operator } from './operator-process.ts'
import { until } from './until.ts'

/** What is promised: at the next request, within two seconds. */
const promisedMs = 2000
const operatorNamespace = 'daypass-operator'

/** The way to the tenant's server, which can be cut. */
class Line {
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #own = 0

  constructor(endpoint: string) {
    this.#port = Number(new URL(endpoint).port)
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#own}`
  }

  async open(): Promise<void> {
    this.#server = createServer((near) => {
      const far = connect(this.#port, '127.0.0.1')
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('close', () => this.#sockets.delete(socket))
        socket.on('error', () => socket.destroy())
      }
      near.pipe(far).pipe(near)
    })
    this.#server.listen(this.#own, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#own = (this.#server.address() as AddressInfo).port
  }

  async cut(): Promise<void> {
    this.#server?.close()
    for (const socket of this.#sockets) socket.destroy()
    if (this.#server) await once(this.#server, 'close')
  }
}

type Scene = Readonly<{ lab: KubeLab; tenant: GatewayTenant; line: Line; admin: Keys }>

let scene: Scene | string = 'not started'
let operators: Operator[] = []

async function start(lab: KubeLab): Promise<Operator> {
  const config = { namespace: operatorNamespace, tokenCacheSeconds: 0 }
  const operator = await startOperator(lab, { config })
  operators.push(operator)
  await untilReady(operator)
  await until('somebody leads', async () =>
    (await Promise.all(operators.map(isLeader))).some(Boolean),
  )
  return operator
}

async function stop(operator: Operator): Promise<void> {
  operators = operators.filter((other) => other !== operator)
  await operator.stop()
}

async function metric({ operationsEndpoint }: Operator, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${operationsEndpoint}/metrics`)).text()
  return text
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1)
}

const isLeader = async (operator: Operator): Promise<boolean> =>
  (await metric(operator, 'daypass_leader')) === '1'

/** A key with the least policy that the documentation names. */
async function makeAdminKey({ server }: GatewayTenant): Promise<Keys> {
  const iam = new IAMClient({ endpoint: server.endpoint, region, credentials: server.root })
  const UserName = 'daypass-operator'
  const PolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'admin:RevokeTenantSessions' }],
  })
  await iam.send(new CreateUserCommand({ UserName }))
  const { Policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName: UserName, PolicyDocument }),
  )
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn: Policy?.Arn }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  assert.ok(AccessKey?.AccessKeyId && AccessKey.SecretAccessKey)
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey }
}

function tenantSpec(line: Line, more: Readonly<Record<string, unknown>> = {}) {
  const admin = {
    endpoint: line.endpoint,
    insecureHttp: true,
    credentialsSecretRef: { name: 'main-admin' },
  }
  const gateway = { sessionKeysSecretRef: { name: 'main-session-keys' }, admin }
  return { target: { gateway }, ...more }
}

function binding(name: string, accounts: readonly string[], more: Record<string, unknown> = {}) {
  const subjects = accounts.map((serviceAccount) => ({ namespace: 'shop', serviceAccount }))
  return resource('Binding', 'store', name, { subjects, policies: ['readonly'], ...more })
}

before(async () => {
  const lab = await startKube()
  if (typeof lab === 'string') {
    scene = lab
    return
  }
  await installKinds(lab)
  for (const namespace of ['shop', 'store', operatorNamespace]) await lab.createNamespace(namespace)
  const tenant = await startGatewayTenant(lab, 'store', 'main')
  await fillBucket(tenant.server, 'photos')
  const line = new Line(tenant.server.endpoint)
  await line.open()
  const admin = await makeAdminKey(tenant)
  await lab.apply('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'main-admin', namespace: 'store' },
    stringData: admin,
  })
  await lab.apply('tenants', resource('Tenant', 'store', 'main', tenantSpec(line)))
  scene = { lab, tenant, line, admin }
  await start(lab)
})

after(async () => {
  for (const operator of operators) await operator.stop()
  if (typeof scene === 'string') return
  await scene.line.cut()
  await scene.tenant.stop()
  await scene.lab.down()
})

/** `undefined`: the test was skipped, and says why. */
function sceneOf(t: TestContext): Scene | undefined {
  if (typeof scene !== 'string') return scene
  t.skip(scene)
  return undefined
}

/** The keys of a pod of that account, which may read. */
async function podOf({ lab, tenant }: Scene, account: string): Promise<Keys> {
  await lab.createServiceAccount('shop', account)
  const token = await lab.createToken('shop', account)
  const [operator] = operators
  assert.ok(operator)
  let keys: Keys | undefined
  await until(`${account} gets keys`, async () => {
    const answer = await exchange(operator, 'store', token)
    if (answer.status === 200) keys = keysOf(answer)
    return answer.status === 200
  })
  assert.ok(keys)
  assert.equal(await stateOf(tenant, keys), 'alive')
  // The leader notes it down in the same second.
  await sleep(1500)
  return keys
}

const read = (endpoint: string, keys: Keys) =>
  s3Client(endpoint, keys).send(new GetObjectCommand({ Bucket: 'photos', Key: 'hello' }))

async function stateOf({ server }: GatewayTenant, keys: Keys): Promise<string> {
  const done = read(server.endpoint, keys)
  const isAlive = await done.then(
    () => true,
    () => false,
  )
  return isAlive ? 'alive' : (await refusalOf(done)).code
}

async function untilEnded({ tenant }: Scene, keys: Keys, since: number | undefined): Promise<void> {
  await until('the session has ended', async () => (await stateOf(tenant, keys)) !== 'alive')
  if (since !== undefined) assert.ok(performance.now() - since < promisedMs, 'it took too long')
  const refusal = await refusalOf(read(tenant.server.endpoint, keys))
  assert.deepEqual([refusal.code, refusal.status], ['ExpiredToken', 400])
  assert.match(refusal.message, /revoked/)
}

async function remove({ lab }: Scene, plural: string, name: string, namespace = 'store') {
  const group = plural === 'serviceaccounts' ? 'api/v1' : 'apis/daypass.dev/v1'
  const api = plural === 'policybindings' ? 'apis/sts.min.io/v1beta1' : group
  const path = `/${api}/namespaces/${namespace}/${plural}/${name}`
  const { status } = await lab.ask(path, { method: 'DELETE' })
  assert.equal(status, 200)
}

describe('sessions of pods', { timeout: 170_000 }, () => {
  it('end when their binding is deleted, and those of another binding do not', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    await here.lab.apply('bindings', binding('one', ['one']))
    await here.lab.apply('policybindings', policyBinding('store', 'two', 'shop/two', ['readonly']))
    const [one, two] = [await podOf(here, 'one'), await podOf(here, 'two')]
    const own = await assumeRole(here.tenant.server.endpoint, here.tenant.server.root)
    let since = performance.now()
    await remove(here, 'bindings', 'one')
    await untilEnded(here, one, since)
    assert.equal(await stateOf(here.tenant, two), 'alive')
    since = performance.now()
    await remove(here, 'policybindings', 'two')
    await untilEnded(here, two, since)
    assert.equal(await stateOf(here.tenant, own), 'alive', 'a session that the server made')
  })

  it('end when their binding gives less or to fewer, and not when it gives more', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    await here.lab.apply('bindings', binding('narrowed', ['ann', 'bob']))
    const [ann, bob] = [await podOf(here, 'ann'), await podOf(here, 'bob')]
    await here.lab.apply('bindings', binding('narrowed', ['ann', 'bob', 'cyd']))
    const cyd = await podOf(here, 'cyd')
    assert.equal(await stateOf(here.tenant, ann), 'alive')
    const since = performance.now()
    await here.lab.apply('bindings', binding('narrowed', ['ann', 'cyd']))
    for (const keys of [ann, bob, cyd]) await untilEnded(here, keys, since)
    const token = await here.lab.createToken('shop', 'ann')
    const [operator] = operators
    assert.ok(operator)
    await sleep(1100)
    const again = keysOf(await exchange(operator, 'store', token))
    assert.equal(await stateOf(here.tenant, again), 'alive', 'whoever is still bound comes again')
    await here.lab.apply(
      'bindings',
      binding('narrowed', ['ann', 'cyd'], { maxSessionSeconds: 900 }),
    )
    await untilEnded(here, again, undefined)
  })

  it('end when a policy that rides along in them is another one', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    const allow = (Action: string) => ({
      document: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] },
    })
    await here.lab.apply('policies', resource('Policy', 'store', 'look', allow('s3:Get*')))
    await here.lab.apply('bindings', binding('looking', ['eve'], { policies: ['look'] }))
    const eve = await podOf(here, 'eve')
    await here.lab.apply('policies', resource('Policy', 'store', 'look', allow('s3:List*')))
    await untilEnded(here, eve, undefined)
  })

  it('end when their service account is deleted', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    await here.lab.apply('bindings', binding('pattern', ['web-*']))
    const [one, two] = [await podOf(here, 'web-1'), await podOf(here, 'web-2')]
    const since = performance.now()
    await remove(here, 'serviceaccounts', 'web-1', 'shop')
    await untilEnded(here, one, since)
    assert.equal(await stateOf(here.tenant, two), 'alive')
  })

  it('end when the server that was away is back', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    const [operator] = operators
    assert.ok(operator)
    await here.lab.apply('bindings', binding('away', ['dan']))
    const dan = await podOf(here, 'dan')
    await here.line.cut()
    await remove(here, 'bindings', 'away')
    const failed = 'daypass_session_ends{state="failed"}'
    await until('it has tried twice', async () => Number(await metric(operator, failed)) >= 2)
    assert.equal(await stateOf(here.tenant, dan), 'alive')
    await here.line.open()
    await untilEnded(here, dan, undefined)
    assert.doesNotMatch(operator.output(), new RegExp(here.admin.secretAccessKey))
  })

  it('end when their binding went while no operator ran, and stay when nothing did', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    for (const name of ['deleted', 'changed', 'same', 'waiting'])
      await here.lab.apply('bindings', binding(name, [`pod-${name}`]))
    const pods = await Promise.all(
      ['deleted', 'changed', 'same'].map((name) => podOf(here, `pod-${name}`)),
    )
    const [deleted, changed, same] = pods
    assert.ok(deleted && changed && same)
    for (const operator of operators) await stop(operator)
    await remove(here, 'bindings', 'deleted')
    await here.lab.apply(
      'bindings',
      binding('changed', ['pod-changed'], { policies: ['writeonly'] }),
    )
    await start(here.lab)
    await untilEnded(here, deleted, undefined)
    await untilEnded(here, changed, undefined)
    assert.equal(await stateOf(here.tenant, same), 'alive')
  })

  it('end once or twice by several operators, also when the leader goes', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    const [first] = operators
    assert.ok(first)
    const second = await start(here.lab)
    await here.lab.apply('bindings', binding('three', ['kim', 'lea']))
    await here.lab.apply('bindings', binding('four', ['max']))
    const [kim, max] = [await podOf(here, 'kim'), await podOf(here, 'max')]
    await remove(here, 'bindings', 'three')
    await untilEnded(here, kim, undefined)
    assert.equal(await stateOf(here.tenant, max), 'alive')
    await stop(first)
    await remove(here, 'serviceaccounts', 'max', 'shop')
    await until('the other one leads', () => isLeader(second))
    await untilEnded(here, max, undefined)
  })

  it('all end when the tenant allows less or is deleted, and those that its server made do not', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    const { server } = here.tenant
    await here.lab.apply('bindings', binding('last', ['ned', 'ole']))
    const ned = await podOf(here, 'ned')
    const own = await assumeRole(server.endpoint, server.root)
    await here.lab.apply(
      'tenants',
      resource('Tenant', 'store', 'main', tenantSpec(here.line, { maxSessionSeconds: 3600 })),
    )
    await untilEnded(here, ned, undefined)
    await sleep(1100)
    const ole = await podOf(here, 'ole')
    await remove(here, 'tenants', 'main')
    await untilEnded(here, ole, undefined)
    assert.equal(await stateOf(here.tenant, own), 'alive')
    const root = new IAMClient({ endpoint: server.endpoint, region, credentials: server.root })
    assert.ok((await root.send(new ListUsersCommand({}))).Users)
    const path = `/api/v1/namespaces/${operatorNamespace}/configmaps/daypass-operator-served`
    await until('nothing is owed any more', async () => {
      const { body } = await here.lab.ask(path)
      return JSON.stringify(body['data'] ?? {}) === '{}'
    })
  })

  it('are ended by a key that may do nothing else', async (t) => {
    const here = sceneOf(t)
    if (!here) return
    const { endpoint } = here.tenant.server
    const iam = new IAMClient({ endpoint, region, credentials: here.admin })
    assert.equal((await refusalOf(iam.send(new ListUsersCommand({})))).status, 403)
    assert.equal((await refusalOf(read(endpoint, here.admin))).status, 403)
  })
})
