import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { minioClient } from './clients/minio.ts'
import { startKube, type KubeLab } from '../labs/kube-lab.ts'
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
import { absence, demandProgram, missingModule, python } from './programs.ts'

const sdk = resolve(import.meta.dirname, 'clients/kubernetes-sdk.ts')
const boto = resolve(import.meta.dirname, 'clients/kubernetes-boto3.py')
const urllib = resolve(import.meta.dirname, 'clients/kubernetes-urllib3.py')

/** Everything that the tests need, or why they cannot run. */
type Scene = Readonly<{
  lab: KubeLab
  tenant: GatewayTenant
  operator: Operator
  /** A file with a token of shop/web, as a projected volume has it. */
  tokenFile: string
  token: string
}>

let scene: Scene | string = 'not started'
const dir = mkdtempSync(join(tmpdir(), 'daypass-pod-'))

before(async () => {
  const lab = await startKube()
  if (typeof lab === 'string') {
    scene = lab
    return
  }
  await installKinds(lab)
  for (const namespace of ['shop', 'store']) await lab.createNamespace(namespace)
  for (const account of ['web', 'writer', 'nobody']) await lab.createServiceAccount('shop', account)
  const tenant = await startGatewayTenant(lab, 'store', 'main')
  await fillBucket(tenant.server, 'photos')
  await lab.apply(
    'policybindings',
    policyBinding('store', 'readers', 'shop/web', ['readonly', 'lister']),
  )
  const lister = { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::*' }
  const document = { Version: '2012-10-17', Statement: [lister] }
  await lab.apply('policies', resource('Policy', 'store', 'lister', { document }))
  const operator = await startOperator(lab)
  await untilReady(operator)
  const token = await lab.createToken('shop', 'web')
  const tokenFile = join(dir, 'token')
  writeFileSync(tokenFile, token)
  scene = { lab, tenant, operator, tokenFile, token }
})

after(async () => {
  rmSync(dir, { recursive: true })
  if (typeof scene === 'string') return
  await scene.operator.stop()
  await scene.tenant.stop()
  await scene.lab.down()
})

/** `undefined`: the test was skipped, and says why. */
function sceneOf(t: TestContext): Scene | undefined {
  if (typeof scene !== 'string') return scene
  t.skip(scene)
  return undefined
}

/** What a pod has in its environment. */
function podEnvironment({ operator, tenant, tokenFile }: Scene): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_STS: `${operator.endpoint}/sts/store`,
    AWS_ENDPOINT_URL_S3: tenant.server.endpoint,
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    AWS_ROLE_ARN: 'arn:aws:iam::111111111:role/dummy',
    AWS_ROLE_SESSION_NAME: 'pod',
    AWS_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CA_BUNDLE: operator.caFile,
    NODE_EXTRA_CA_CERTS: operator.caFile,
    BUCKET: 'photos',
  }
}

describe('a pod gets credentials with the identity that it has', () => {
  it('by curl, and reads a bucket', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    if (absence('/usr/bin/curl') !== false) return t.skip('curl is not installed')
    const { operator, tenant, tokenFile } = all
    const call = 'Version=2011-06-15&Action=AssumeRoleWithWebIdentity'
    const token = ['--data-urlencode', `WebIdentityToken@${tokenFile}`]
    const sts = ['--cacert', operator.caFile, '--data', call, ...token]
    const answer = await curl([...sts, `${operator.endpoint}/sts/store`])
    const keys = keysOf({ status: 200, headers: {}, text: answer.toString() })
    const signed = ['--aws-sigv4', 'aws:amz:us-east-1:s3', '--user']
    const got = await curl([
      ...signed,
      `${keys.accessKeyId}:${keys.secretAccessKey}`,
      '--header',
      `x-amz-security-token: ${keys.sessionToken}`,
      '--header',
      'x-amz-content-sha256: UNSIGNED-PAYLOAD',
      `${tenant.server.endpoint}/photos/hello`,
    ])
    assert.equal(got.toString(), 'hello, pod')
  })

  for (const way of ['default chain', 'fromTokenFile', 'fromHttp', 'container chain']) {
    it(`by the AWS SDK: ${way}`, async (t) => {
      const all = sceneOf(t)
      if (all === undefined) return
      const { operator, tokenFile } = all
      const container = {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${operator.endpoint}/credentials/store`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
        // The chain would take it first.
        AWS_WEB_IDENTITY_TOKEN_FILE: '',
      }
      const byContainer = way === 'fromHttp' || way === 'container chain'
      const env = { ...podEnvironment(all), ...(byContainer ? container : {}), WAY: way }
      const out = await demandProgram(process.execPath, [sdk], { env })
      assert.deepEqual(JSON.parse(out.toString()), { body: 'hello, pod', put: 'AccessDenied' })
    })
  }

  it('by boto3, as the sample of the MinIO Operator does', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    const missing = missingModule('boto3')
    if (missing !== false) return t.skip(missing)
    const env = podEnvironment(all)
    const out = await demandProgram(python, [boto], { env })
    assert.deepEqual(JSON.parse(out.toString()), { keys: ['hello'], put: 'AccessDenied' })
  })

  it('by plain urllib3, which puts everything into the query', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    const missing = missingModule('urllib3')
    if (missing !== false) return t.skip(missing)
    const env = podEnvironment(all)
    const out = await demandProgram(python, [urllib], { env })
    assert.deepEqual(JSON.parse(out.toString()), { status: 200, body: 'hello, pod' })
  })

  it('and the minio package uses them', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    const keys = keysOf(await exchange(all.operator, 'store', all.token))
    const client = minioClient(all.tenant.server.endpoint, keys)
    const names: string[] = []
    for await (const item of client.listObjectsV2('photos'))
      names.push(String((item as { name?: string }).name))
    assert.deepEqual(names, ['hello'])
  })
})

describe('what a pod gets', () => {
  it('is what its binding names, narrowed by the policy that it sends', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    const { operator, tenant, token, lab } = all
    await lab.apply(
      'policybindings',
      policyBinding('store', 'writers', 'shop/writer', ['readwrite']),
    )
    const writer = await lab.createToken('shop', 'writer')
    const narrow = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::photos/*' }],
    })
    const everything = narrow.replace('s3:GetObject', '*').replace('arn:aws:s3:::photos/*', '*')
    const client = (keys: ReturnType<typeof keysOf>) => s3Client(tenant.server.endpoint, keys)
    const put = () => new PutObjectCommand({ Bucket: 'photos', Key: 'x', Body: 'x' })
    const get = () => new GetObjectCommand({ Bucket: 'photos', Key: 'hello' })
    const list = () => new ListObjectsV2Command({ Bucket: 'photos' })
    await until(async () => (await exchange(operator, 'store', writer)).status === 200)

    const wide = client(keysOf(await exchange(operator, 'store', writer)))
    await wide.send(put())
    const narrowed = client(keysOf(await exchange(operator, 'store', writer, { Policy: narrow })))
    await narrowed.send(get())
    assert.equal((await refusalOf(narrowed.send(put()))).code, 'AccessDenied')
    assert.equal((await refusalOf(narrowed.send(list()))).code, 'AccessDenied')
    // The MinIO Operator added it to what was bound.
    const greedy = client(keysOf(await exchange(operator, 'store', token, { Policy: everything })))
    await greedy.send(get())
    assert.equal((await refusalOf(greedy.send(put()))).code, 'AccessDenied')
  })

  it('ends with the token, and says when', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    const token = await all.lab.createToken('shop', 'web', { expirationSeconds: 700 })
    const answer = await exchange(all.operator, 'store', token, { DurationSeconds: '25536' })
    const seconds = (Date.parse(elementOf(answer, 'Expiration')) - Date.now()) / 1000
    assert.ok(seconds > 600 && seconds <= 700, `${seconds}`)
  })

  it('follows Bindings with patterns, inline policies and pod facts', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    const { lab, operator, tenant } = all
    await lab.createNamespace('team-a')
    await lab.createServiceAccount('team-a', 'job')
    const own = 'arn:aws:s3:::photos/${aws:PrincipalTag/kubernetes-namespace}/*'
    await lab.apply(
      'bindings',
      resource('Binding', 'store', 'teams', {
        subjects: [{ namespace: 'team-*', serviceAccount: '*' }],
        inline: [
          {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: ['s3:PutObject', 's3:GetObject'], Resource: own },
            ],
          },
        ],
        maxSessionSeconds: 900,
      }),
    )
    const token = await lab.createToken('team-a', 'job')
    await until(async () => (await exchange(operator, 'store', token)).status === 200)
    const client = s3Client(
      tenant.server.endpoint,
      keysOf(await exchange(operator, 'store/main', token)),
    )
    const put = (Key: string) =>
      client.send(new PutObjectCommand({ Bucket: 'photos', Key, Body: 'x' }))
    await put('team-a/mine')
    assert.equal((await refusalOf(put('team-b/theirs'))).code, 'AccessDenied')
  })
})

describe('a tenant with an STS of its own that takes its time', () => {
  it('gives nothing by a binding that goes while it is asked, and something by one that stays', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    const { lab, operator } = all
    const { promise: asked, resolve: wasAsked } = Promise.withResolvers<void>()
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const sts = createServer((request, response) => {
      request.resume()
      wasAsked()
      void released.then(() => response.end(slowAnswer))
    })
    sts.listen(0, '127.0.0.1')
    await once(sts, 'listening')
    const { port } = sts.address() as AddressInfo
    try {
      const tenants = await countKnown(operator, 'tenants')
      await lab.createNamespace('slow')
      await lab.apply('secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'broker', namespace: 'slow' },
        stringData: { accessKeyId: 'BROKER', secretAccessKey: 'a secret of the broker' },
      })
      const assumeRole = {
        endpoint: `http://127.0.0.1:${port}`,
        insecureHttp: true,
        region: 'us-east-1',
        credentialsSecretRef: { name: 'broker' },
      }
      await lab.apply('tenants', resource('Tenant', 'slow', 'main', { target: { assumeRole } }))
      const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*' }
      const known = await countKnown(operator, 'bindings')
      for (const account of ['web', 'writer']) {
        const inline = [{ Version: '2012-10-17', Statement: [statement] }]
        const subjects = [{ namespace: 'shop', serviceAccount: account }]
        await lab.apply('bindings', resource('Binding', 'slow', account, { subjects, inline }))
      }
      const tokens = [all.token, await lab.createToken('shop', 'writer')]
      await until(async () => (await countKnown(operator, 'bindings')) === known + 2)
      await until(async () => (await countKnown(operator, 'tenants')) === tenants + 1)
      const answers = Promise.all(tokens.map((token) => exchange(operator, 'slow', token)))
      await asked
      await lab.ask('/apis/daypass.dev/v1/namespaces/slow/bindings/web', { method: 'DELETE' })
      await until(async () => (await countKnown(operator, 'bindings')) === known + 1)
      release()
      const [gone, stays] = await answers
      assert.deepEqual([gone?.status, gone?.headers['retry-after']], [503, '1'], gone?.text)
      assert.ok(!gone?.text.includes('SLOWKEY'))
      assert.equal(stays?.status, 200, stays?.text)
    } finally {
      release()
      sts.close()
    }
  })
})

async function countKnown({ operationsEndpoint }: Operator, kind: string): Promise<number> {
  const metrics = await (await fetch(`${operationsEndpoint}/metrics`)).text()
  const line = metrics
    .split('\n')
    .find((each) => each.startsWith(`daypass_resources{kind="${kind}"}`))
  return Number(line?.split(' ')[1])
}

const slowAnswer =
  '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>' +
  '<AccessKeyId>SLOWKEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>' +
  `<Expiration>${new Date(Date.now() + 1_800_000).toISOString()}</Expiration>` +
  '</Credentials></AssumeRoleResult></AssumeRoleResponse>'

describe('whom the operator refuses', () => {
  it('says why, by code and status', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    const { lab, operator, token } = all
    const cases: readonly (readonly [string, string, string, number, string])[] = [
      [
        'an account that nothing is bound to',
        'store',
        await lab.createToken('shop', 'nobody'),
        403,
        'AccessDenied',
      ],
      [
        'a token of another audience',
        'store',
        await lab.createToken('shop', 'web', { audiences: [lab.url] }),
        400,
        'InvalidIdentityToken',
      ],
      ['garbage', 'store', 'garbage', 400, 'InvalidIdentityToken'],
      ['a forged token', 'store', `${token.slice(0, -8)}AAAAAAAA`, 400, 'InvalidIdentityToken'],
      ['a namespace without a tenant', 'shop', token, 400, 'InvalidParameterValue'],
      ['a tenant that is not there', 'store/other', token, 400, 'InvalidParameterValue'],
      ['no namespace at all', '%2F', token, 400, 'InvalidParameterValue'],
    ]
    for (const [what, tenant, presented, status, code] of cases) {
      const answer = await exchange(operator, tenant, presented)
      assert.deepEqual([answer.status, elementOf(answer, 'Code')], [status, code], what)
    }
    const denied = operator.audit().filter(({ outcome }) => outcome === 'refused')
    assert.ok(denied.length >= cases.length - 1, 'refusals stand in the audit log')
    assert.ok(!operator.output().includes(token))
    assert.ok(!JSON.stringify(operator.audit()).includes(token))
  })

  it('answers what is no address of its own', async (t) => {
    const all = sceneOf(t)
    if (all === undefined) return
    for (const path of ['/', '/sts', '/minio/admin/v3/info', '/metrics']) {
      assert.equal((await askOperator(all.operator, path)).status, 404, path)
    }
  })
})

function curl(args: readonly string[]): Promise<Buffer> {
  return demandProgram('/usr/bin/curl', ['--silent', '--show-error', '--fail-with-body', ...args])
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('it did not come about')
    await new Promise((resume) => setTimeout(resume, 100))
  }
}
