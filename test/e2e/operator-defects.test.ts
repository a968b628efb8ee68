/*
 * The defects of the MinIO Operator's STS (operator-sts.md, section 11), and the tests that hold the right behaviour.
 * Where it says "here", it is in this file.
 *
 * 11.1 A  a Policy widens                kubernetes.test.ts "is what its binding names, narrowed by the policy that it sends";
 *                                        src/targets/inline-policy.test.ts "allows exactly what bindings, ceiling and the caller allow together"
 * 11.1 B  %2F leads to other tenants     here "no path leads to another tenant"; src/sts/tenant-face.test.ts "takes no path for the name of another tenant"
 * 11.1 C  a failed review ends all       operator-faults.test.ts "is waited for by nobody who has gone", "is missed with a clear word", "are refused one by one"
 * 11.1 D  no spec, no service            operator-faults.test.ts "is told of in its status, and harms nobody"
 * 11.1 E  TLS is not checked             src/targets/assume-role.test.ts "is checked by its certificate, whatever the environment says"; here "no tenant makes another one's certificate count"
 * 11.1 F  every session is root's        targets.test.ts "knows whose session it is, and says so"; here "the session is that of the service account"
 * 11.1 G  one identity may do all        here "the rights of the chart are enough"; test/deploy/cluster.test.ts "the operator may do exactly what it has to"
 * 11.2    names that are no accounts     src/identity/service-account/service-account-verifier.test.ts "takes nobody for a service account whose name merely looks like one"
 * 11.2    a Deny that is skipped         src/targets/assume-role.test.ts "are all needed: one that is missing may have been meant to deny something"
 * 11.2    tenants without TLS            src/targets/assume-role.test.ts "is never plain http beyond loopback, unless that is allowed"
 * 11.2    texts of tenants reach callers targets.test.ts "leaves no secret and no policy of the tenant in what it says"
 * 11.2    a year from an hour's token    kubernetes.test.ts "ends with the token, and says when"; src/grants/tenant-grants.test.ts "is never longer than the token, the tenant, or any of the bindings"
 * 11.2    nothing is ever revoked        session-ends.test.ts; operator-faults.test.ts "gives nothing any more"
 * 11.2    denials leave no trace         here "a denial stands in the audit log, and is counted"
 * 11.2    usage is never counted         here "what was used is counted in the status"
 * 11.2    a key that all can read        src/kubernetes/certificates/certificates.test.ts: it is in a Secret and in memory, and in no file
 * 11.2    a token that never ends        every test: tokens are those of TokenRequest, which end; `exp` is demanded (src/grants/tenant-grants.test.ts "is for service accounts alone, whose token ends")
 * 11.2    no rate limit                  here "who asks too often waits, and nobody else does"; operator-faults.test.ts "keep nobody else waiting"
 * 11.3    seven calls for each exchange  operator-faults.test.ts "is one TokenReview for a new token, and nothing for one that is known"
 * 11.3    certificates end               src/kubernetes/certificates/certificates.test.ts; here "a certificate that does not fit its key"
 * 11.3    traffic before it listens      here "is ready when it can serve, and not before"
 * 11.3    a follower stays dead          operator-faults.test.ts "give the same answers"
 * 11.3    errors are asked in circles    here "an operator without rights asks slowly"
 * 11.3    minutes upstream               src/targets/assume-role.test.ts "ends with a clear answer within the ten seconds that are stated"
 * 11.3    3600 seconds at least          here, the vectors of section 13.1
 * 11.3    2048 bytes in total            here "there is room for more than 2048 bytes"
 * 11.3    an old parser, NotAction       here "a policy with NotAction is one like any other"
 * 11.3    one tenant in a namespace      here "two tenants of one namespace"
 * 11.3    no tenant and no API server    here, the vectors (400); operator-faults.test.ts "is a clear refusal for what has to be asked" (503)
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { copyFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { Workshop } from '../../src/identity/certificate/testing/authority.ts'
import { deploy, getTools, must, readManifests } from '../deploy/tools.ts'
import { startKube, type KubeLab, type KubeObject } from '../labs/kube-lab.ts'
import {
  fillBucket,
  installKinds,
  policyBinding,
  resource,
  startGatewayTenant,
  type GatewayTenant,
} from './cluster-scene.ts'
import { refusalOf, s3Client } from './keys.ts'
import {
  askOperator,
  elementOf,
  exchange,
  keysOf,
  startOperator,
  untilReady,
  type Operator,
} from './operator-process.ts'
import { exchangeForm, openTls, requestsTo, sealedTenant, verdictOf } from './operator-scene.ts'
import { until } from './until.ts'

type Scene = Readonly<{
  lab: KubeLab
  tenant: GatewayTenant
  operator: Operator
  /** Of shop/web, which is bound to `readonly` in namespace `store`. */
  token: string
  /** Of shop/nobody, which is bound nowhere but in `vault`. */
  nobody: string
}>

let scene: Scene | string = 'not started'

before(async () => {
  const lab = await startKube()
  if (typeof lab === 'string') {
    scene = lab
    return
  }
  await installKinds(lab)
  for (const name of ['daypass-operator', 'shop', 'store', 'vault', 'pair', 'bare'])
    await lab.createNamespace(name)
  for (const account of ['web', 'nobody']) await lab.createServiceAccount('shop', account)
  const tenant = await startGatewayTenant(lab, 'store', 'main')
  await fillBucket(tenant.server, 'photos')
  await sealedTenant(lab, 'vault', 'main')
  for (const name of ['one', 'two']) await sealedTenant(lab, 'pair', name)
  const bindings = [
    policyBinding('store', 'web', 'shop/web', ['readonly']),
    policyBinding('vault', 'nobody', 'shop/nobody', ['consoleAdmin']),
    policyBinding('pair', 'web', 'shop/web', ['readonly']),
    policyBinding('bare', 'web', 'shop/web', ['readonly']),
  ]
  for (const binding of bindings) await lab.apply('policybindings', binding)
  const operator = await startOperator(lab)
  await untilReady(operator)
  const [token, nobody] = await Promise.all([
    lab.createToken('shop', 'web'),
    lab.createToken('shop', 'nobody'),
  ])
  scene = { lab, tenant, operator, token, nobody }
})

after(async () => {
  if (typeof scene === 'string') return
  await scene.operator.stop()
  await scene.tenant.stop()
  await scene.lab.down()
})

/** A test of the scene; skipped where there can be none, with the reason. */
function test(title: string, run: (scene: Scene, t: TestContext) => Promise<void>): void {
  it(title, async (t) => (typeof scene === 'string' ? t.skip(scene) : run(scene, t)))
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }

async function verdict(operator: Operator, tenant: string, token: string): Promise<string> {
  return verdictOf(await exchange(operator, tenant, token))
}

describe('defects that were severe (section 11.1)', () => {
  test('no path leads to another tenant', async ({ operator, token, nobody }) => {
    assert.equal(await verdict(operator, 'vault', nobody), '200')
    assert.equal(await verdict(operator, 'store', nobody), '403 AccessDenied')
    assert.equal(await verdict(operator, 'vault', token), '403 AccessDenied')
    const paths = [
      '%2F',
      '%2f',
      '%2Fstore',
      'store%2F',
      'vault%2F..%2Fstore',
      'vault/../store',
      'a+b',
      '%73tore',
      '*',
      '.',
      '..',
      '',
      '/',
      '%00',
      'store%00',
      'STORE',
      'store;vault',
      'store/main/more',
      '%',
    ]
    for (const path of paths) {
      for (const presented of [token, nobody]) {
        const body = exchangeForm(presented)
        const raw = await rawPost(operator, `/sts/${path}`, body)
        assert.equal(raw, '400 InvalidParameterValue', path)
      }
    }
  })

  test("no tenant makes another one's certificate count", async ({ lab, operator, token }, t) => {
    const certificates = new Workshop()
    t.after(() => certificates.close())
    for (const name of ['ours', 'theirs']) certificates.make(name, { extensions: 'ca' })
    certificates.make('tenant', { by: 'theirs', extensions: ['subjectAltName=IP:127.0.0.1'] })
    const seen: string[] = []
    const stranger = await serve(t, certificates, seen)
    const text = (name: string) => certificates.text(`${name}.pem`)
    await lab.createNamespace('abroad')
    await configMap(lab, 'trust', { ours: text('ours'), theirs: text('theirs') })
    await lab.apply('secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'broker', namespace: 'abroad' },
      stringData: { accessKeyId: 'broker', secretAccessKey: 'a secret of the broker' },
    })
    const point = (name: string, key: string) =>
      lab.apply(
        'tenants',
        resource('Tenant', 'abroad', name, {
          target: {
            assumeRole: {
              endpoint: stranger,
              caConfigMapRef: { name: 'trust', key },
              credentialsSecretRef: { name: 'broker' },
            },
          },
        }),
      )
    await point('strict', 'ours')
    await point('trusting', 'theirs')
    const binding = policyBinding('abroad', 'web', 'shop/web', ['readonly'])
    await lab.apply('policybindings', binding)
    const reached = async () => {
      await verdict(operator, 'abroad/trusting', token)
      return seen.length > 0
    }
    await until('the one that trusts it is asked', reached)
    const before = seen.length
    assert.equal(await verdict(operator, 'abroad/strict', token), '503 STSNotInitialized')
    // Whatever is done to tenants, no check is switched off.
    await point('another', 'theirs')
    await point('strict', 'ours')
    assert.equal(await verdict(operator, 'abroad/strict', token), '503 STSNotInitialized')
    assert.equal(seen.length, before)
    assert.ok(!operator.output().includes('a secret of the broker'))
  })

  test('the session is that of the service account', async ({ operator, tenant, token }) => {
    const keys = keysOf(await exchange(operator, 'store', token))
    const sts = new STSClient({
      endpoint: tenant.server.endpoint,
      region: 'us-east-1',
      credentials: keys,
    })
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}))
    assert.match(Arn ?? '', /shop/)
    assert.match(Arn ?? '', /web/)
  })
})

async function rawPost(operator: Operator, path: string, body: string): Promise<string> {
  const connection = await openTls(operator)
  const type = 'content-type: application/x-www-form-urlencoded'
  const length = `content-length: ${body.length}`
  connection.send(`POST ${path} HTTP/1.1\r\nhost: sts\r\n${type}\r\n${length}\r\n\r\n${body}`)
  const answer = await connection.answer()
  connection.close()
  return `${answer?.status} ${answer?.code}`
}

/** Answers whoever gets through to it with 500, and remembers that somebody did. */
async function serve(t: TestContext, certificates: Workshop, seen: string[]): Promise<string> {
  const pair = { cert: certificates.text('tenant.pem'), key: certificates.text('tenant.key') }
  const server: Server = createServer(pair, (request, response) => {
    seen.push(request.url ?? '')
    request.resume()
    response.writeHead(500).end()
  })
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function configMap(
  lab: KubeLab,
  name: string,
  data: Readonly<Record<string, string>>,
): Promise<void> {
  const metadata = { name, namespace: 'abroad' }
  await lab.apply('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
}

/** The features that need the fewest rights; the Secrets of namespace `store` are to be read. */
const least = { minioTenants: false, labelSelectors: false, status: false, webhook: false }

describe('the rights of the chart', () => {
  test('are enough to serve with: no Secret of the cluster, nothing to change', async ({
    lab,
    token,
  }, t) => {
    const tools = getTools()
    if (typeof tools === 'string') return t.skip(tools)
    const values = join(lab.dir, 'values.json')
    const tenantNamespaces = [{ name: 'store', secrets: ['main-session-keys'] }]
    const certificate = { requestAutoCert: false }
    writeFileSync(values, JSON.stringify({ features: least, tenantNamespaces, certificate }))
    const chart = join(deploy, 'helm/daypass-operator')
    const text = must(
      await tools.helm('template', 'sts', chart, '--namespace', 'ops', '--values', values),
    )
    await lab.createNamespace('ops')
    const rights = readManifests(text).filter(({ kind }) =>
      /^(?:Cluster)?Role(?:Binding)?$|^ServiceAccount$/.test(kind),
    )
    for (const object of rights) await lab.apply(pluralOf(object), object)
    const account = rights.find(({ kind }) => kind === 'ServiceAccount')?.metadata.name ?? ''
    const operator = await startOperator(lab, {
      kubeconfig: await kubeconfigOf(lab, account),
      config: { namespace: 'ops', features: least },
    })
    t.after(() => operator.stop())
    await untilReady(operator)
    assert.equal(await verdict(operator, 'store', token), '200')
    // Its Secret may not be read.
    assert.equal(await verdict(operator, 'pair/one', token), '503 STSNotInitialized')
    const { length } = operator.output().split('"level":50')
    assert.ok(length < 5, operator.output())
  })

  test('an operator without rights asks slowly, and is not ready', async ({ lab }, t) => {
    await lab.createServiceAccount('shop', 'powerless')
    const kubeconfig = await kubeconfigOf(lab, 'powerless', 'shop')
    const operator = await startOperator(lab, { kubeconfig })
    t.after(() => operator.stop())
    const refused = () =>
      Promise.all(
        [
          'policybindings',
          'bindings',
          'policies',
          'tenants',
          'namespaces',
          'serviceaccounts',
          'leases',
        ].map((name) => requestsTo(lab, { resource: name, codes: ['403'] })),
      )
    const before = await refused()
    await new Promise((resume) => setTimeout(resume, 4000))
    const asked = (await refused()).map((count, i) => count - (before[i] ?? 0))
    // Pauses double from 0.2 s on: 0, 0.2, 0.6, 1.4, 3.0 s, each with some luck half of that.
    assert.ok(
      asked.every((count) => count <= 9),
      JSON.stringify(asked),
    )
    assert.equal((await fetch(`${operator.operationsEndpoint}/ready`)).status, 503)
    assert.equal((await fetch(`${operator.operationsEndpoint}/live`)).status, 200)
    const answer = await exchange(operator, 'store', 'x.y.z')
    assert.equal(verdictOf(answer), '503 IDPCommunicationError')
    assert.ok(Number(answer.headers['retry-after']) > 0)
  })
})

function pluralOf({ kind }: KubeObject): string {
  return `${kind.toLowerCase()}s`
}

/** For a service account of the lab, with a token for the API server itself. */
async function kubeconfigOf(lab: KubeLab, account: string, namespace = 'ops'): Promise<string> {
  const token = await lab.createToken(namespace, account, { audiences: [lab.url] })
  const file = join(lab.dir, `${account}.kubeconfig`)
  const cluster = { server: lab.url, 'certificate-authority': lab.caFile }
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'lab',
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: account } }],
    clusters: [{ name: 'lab', cluster }],
    users: [{ name: account, user: { token } }],
  }
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return file
}

describe('defects that were moderate (section 11.2)', () => {
  test('a denial stands in the audit log, and is counted', async ({ operator, nobody }) => {
    const before = await counted(operator, 'no_policy')
    const answer = await exchange(operator, 'store', nobody)
    assert.equal(verdictOf(answer), '403 AccessDenied')
    const id = elementOf(answer, 'RequestId')
    assert.equal(answer.headers['x-amz-request-id'], id)
    const [event] = operator.audit().filter((line) => JSON.stringify(line).includes(id))
    assert.equal(event?.['outcome'], 'refused')
    const text = JSON.stringify(event)
    for (const fact of ['system:serviceaccount:shop:nobody', 'no_policy', 'store'])
      assert.ok(text.includes(fact), `${fact} in ${text}`)
    assert.equal(await counted(operator, 'no_policy'), before + 1)
  })

  test('what was used is counted in the status', async ({ lab, operator, token }) => {
    assert.equal(await verdict(operator, 'store', token), '200')
    const path = '/apis/sts.min.io/v1beta1/namespaces/store/policybindings/web'
    await until('the status counts', async () => {
      const { body } = await lab.ask(path)
      const { usage } = (body['status'] ?? {}) as { usage?: { authotizations?: number } }
      return (usage?.authotizations ?? 0) > 0
    })
  })

  test('who asks too often waits, and nobody else does', async ({ lab, token }, t) => {
    const operator = await startOperator(lab, {
      config: { limits: { perSecond: 1, burst: 10, inFlight: 64 }, features: least },
    })
    t.after(() => operator.stop())
    await untilReady(operator)
    const noisy = await openTls(operator, '127.0.0.3')
    const statuses: (number | undefined)[] = []
    for (let i = 0; i < 30; i += 1) {
      noisy.send('POST /sts/store HTTP/1.1\r\nhost: sts\r\ncontent-length: 0\r\n\r\n')
      const answer = await noisy.answer()
      statuses.push(answer?.status)
      if (answer?.status === 503) assert.ok(Number(answer.headers.get('retry-after')) > 0)
    }
    noisy.close()
    assert.ok(statuses.filter((status) => status === 503).length >= 10, statuses.join())
    assert.equal(await verdict(operator, 'store', token), '200')
  })
})

async function counted({ operationsEndpoint }: Operator, outcome: string): Promise<number> {
  const text = await (await fetch(`${operationsEndpoint}/metrics`)).text()
  const line = new RegExp(`^daypass_exchanges_total\\{[^}]*outcome="${outcome}"\\} (\\d+)$`, 'm')
  return Number(line.exec(text)?.[1] ?? 0)
}

describe('defects of reliability (section 11.3)', () => {
  test('a certificate that does not fit its key harms nobody', async ({ lab, token }, t) => {
    const operator = await startOperator(lab, { config: { features: least } })
    t.after(() => operator.stop())
    await untilReady(operator)
    const { workshop } = operator
    const file = (name: string) => workshop.file(name)
    workshop.make('other', { by: 'authority', extensions: ['subjectAltName=IP:127.0.0.1'] })
    copyFileSync(file('other.pem'), file('sts.pem'))
    await until('the log says so', () => operator.output().includes('certificate'))
    assert.equal(await verdict(operator, 'store', token), '200')
    copyFileSync(file('other.key'), file('sts.key'))
    assert.equal(await verdict(operator, 'store', token), '200')
  })

  test('is ready when it can serve, and not before', async ({ lab }, t) => {
    // Nobody answers there.
    const kubeconfig = join(lab.dir, 'nowhere.kubeconfig')
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'x', user: { token: randomBytes(16).toString('hex') } }],
    }
    writeFileSync(kubeconfig, JSON.stringify(config))
    const operator = await startOperator(lab, { kubeconfig, config: { features: least } })
    t.after(() => operator.stop())
    const ready = await fetch(`${operator.operationsEndpoint}/ready`)
    assert.equal(ready.status, 503)
    assert.match(await ready.text(), /bindings and tenants have not been read/)
    assert.equal((await fetch(`${operator.operationsEndpoint}/live`)).status, 200)
  })

  test('two tenants of one namespace are told apart by name', async ({ operator, token }) => {
    const answer = await exchange(operator, 'pair', token)
    assert.equal(verdictOf(answer), '400 InvalidParameterValue')
    assert.match(elementOf(answer, 'Message'), /pair\/one, pair\/two/)
    for (const name of ['one', 'two'])
      assert.equal(await verdict(operator, `pair/${name}`, token), '200')
  })

  test('a policy with NotAction is one like any other, and there is room for more than 2048 bytes', async ({
    lab,
    operator,
    tenant,
  }) => {
    await lab.createServiceAccount('shop', 'careful')
    const careful = await lab.createToken('shop', 'careful')
    const statement = (more: Readonly<Record<string, unknown>>) => ({
      Effect: 'Allow',
      Resource: '*',
      ...more,
    })
    const buckets = Array.from({ length: 60 }, (_, i) => `arn:aws:s3:::a-bucket-of-many-${i}/*`)
    const inline = [
      statement({ NotAction: 's3:Put*' }),
      statement({ Action: 's3:GetObject', Resource: buckets }),
    ].map((one) => ({ Version: '2012-10-17', Statement: [one] }))
    assert.ok(JSON.stringify(inline).length > 2048)
    const subjects = [{ namespace: 'shop', serviceAccount: 'careful' }]
    const binding = { subjects, policies: ['readonly'], inline }
    await lab.apply('bindings', resource('Binding', 'store', 'careful', binding))
    await until('it is bound', async () => (await verdict(operator, 'store', careful)) === '200')
    const keys = keysOf(await exchange(operator, 'store', careful))
    const client = s3Client(tenant.server.endpoint, keys)
    await client.send(new GetObjectCommand({ Bucket: 'photos', Key: 'hello' }))
    const put = new PutObjectCommand({ Bucket: 'photos', Key: 'x', Body: 'x' })
    assert.equal((await refusalOf(client.send(put))).code, 'AccessDenied')
  })
})

describe('the vectors (section 13.1)', () => {
  const everything = { Effect: 'Allow', Action: 's3:*', Resource: '*' }
  const document = (Statement: unknown) => JSON.stringify({ Version: '2012-10-17', Statement })
  const buckets = Array.from({ length: 90 }, (_, i) => `arn:aws:s3:::bucket-${i}/*`)
  const long = document([{ ...everything, Resource: buckets }])
  const cases: readonly (readonly [string, Record<string, string>, string])[] = [
    ['no Version', { Version: '' }, '400 MissingParameter'],
    ['another Version', { Version: '2010-01-01' }, '400 MissingParameter'],
    ['another Action', { Action: 'AssumeRole' }, '400 InvalidParameterValue'],
    ['a token of spaces', { WebIdentityToken: '   ' }, '400 MissingParameter'],
    ['too short', { DurationSeconds: '899' }, '400 InvalidParameterValue'],
    ['too long', { DurationSeconds: '31536001' }, '400 InvalidParameterValue'],
    ['no number', { DurationSeconds: 'x' }, '400 InvalidParameterValue'],
    ['a policy that is none', { Policy: 'not json' }, '400 MalformedPolicyDocument'],
    ['a policy of 2049 bytes and more', { Policy: long }, '400 PackedPolicyTooLarge'],
    ['a longer wish than there is', { DurationSeconds: '31536000' }, '200'],
    ['any role', { RoleArn: 'arn:aws:iam::111111111:dummyroot', RoleSessionName: 'x' }, '200'],
    ['names that mean nothing', { ProviderId: 'x', TokenRevokeType: 'y', RoleARN: 'z' }, '200'],
    ['a token with a newline', {}, '200'],
  ]
  for (const [what, fields, expected] of cases) {
    test(what, async ({ operator, token }) => {
      const answer = await exchange(operator, 'store', `${token}\n`, fields)
      assert.equal(verdictOf(answer), expected, elementOf(answer, 'Message'))
    })
  }

  test('by namespace, path and method', async ({ operator, token }) => {
    // A binding is there, and no tenant.
    assert.equal(await verdict(operator, 'bare', token), '400 InvalidParameterValue')
    assert.equal(await verdict(operator, 'store/', token), '200')
    const got = await askOperator(operator, '/sts/store', { method: 'GET' })
    assert.deepEqual([got.status, got.headers.allow], [405, 'POST'])
  })

  test('Action in body and query: the body wins', async ({ operator, token }) => {
    const body = exchangeForm(token)
    const path = '/sts/store?Action=AssumeRole'
    assert.equal(verdictOf(await askOperator(operator, path, { headers: form, body })), '200')
  })

  test('everything in the query, and no type', async ({ operator, token }) => {
    const path = `/sts/store?${exchangeForm(token)}`
    assert.equal(verdictOf(await askOperator(operator, path)), '200')
  })

  test('fifteen minutes are fifteen minutes', async ({ operator, token }) => {
    const answer = await exchange(operator, 'store', token, { DurationSeconds: '900' })
    const seconds = (Date.parse(elementOf(answer, 'Expiration')) - Date.now()) / 1000
    assert.ok(seconds > 800 && seconds <= 900, `${seconds}`)
  })
})
