import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { parse } from 'yaml'
import { startOperator, untilReady, type Operator } from '../e2e/operator-process.ts'
import { startKube, type KubeLab } from '../labs/kube-lab.ts'
import { operatorAccount } from './rights.ts'
import { deploy, getTools, must } from './tools.ts'

const { namespace, name } = operatorAccount

describe('the operator, as the chart installs it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'daypass-as-shipped-'))
  let lab: KubeLab
  let operator: Operator | undefined
  let missing: string | undefined

  before(async () => {
    const started = await startKube()
    if (typeof started === 'string') {
      missing = started
      return
    }
    lab = started
    const tools = getTools(lab.kubeconfig)
    if (typeof tools === 'string') {
      missing = tools
      return
    }
    for (const each of [namespace, 'tenant-a', 'shop']) await lab.createNamespace(each)
    await lab.createServiceAccount('shop', 'web')
    const install = async (chart: string, place: string, release: string, values: unknown) => {
      const file = join(folder, `${release}.json`)
      writeFileSync(file, JSON.stringify(values))
      const words = ['install', release, join(deploy, 'helm', chart), '--namespace', place]
      must(await tools.helm(...words, '--values', file))
    }
    await install('daypass-operator', namespace, name, { features: { webhook: true } })
    await install('daypass-tenant', 'tenant-a', 'store', {
      tls: { insecurePlainHttp: true },
      bindings: {
        web: {
          subjects: [{ namespace: 'shop', serviceAccount: 'web' }],
          policies: ['readonly'],
        },
      },
    })
    operator = await startOperator(lab, {
      kubeconfig: await kubeconfigOf(),
      config: await shippedConfig(),
      env: { POD_NAMESPACE: namespace, POD_NAME: 'daypass-operator-0' },
    })
  })
  after(async () => {
    await operator?.stop()
    rmSync(folder, { recursive: true, force: true })
    await lab?.down()
  })

  /** With the rights of the chart's service account, and no others. */
  async function kubeconfigOf(): Promise<string> {
    const token = await lab.createToken(namespace, name, { audiences: [lab.url] })
    const ca = readFileSync(lab.caFile).toString('base64')
    const cluster = { server: lab.url, 'certificate-authority-data': ca }
    const file = join(folder, 'kubeconfig')
    const context = { cluster: 'lab', user: 'operator' }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'lab', cluster }],
      users: [{ name: 'operator', user: { token } }],
      contexts: [{ name: 'lab', context }],
      'current-context': 'lab',
    }
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
    return file
  }

  /** What the pods would read, but for the addresses, which are of this machine. */
  async function shippedConfig(): Promise<Record<string, unknown>> {
    const { body } = await lab.ask(`/api/v1/namespaces/${namespace}/configmaps/${name}`)
    const data = body['data'] as Record<string, string>
    const config = parse(data['operator.yaml'] ?? '') as Record<string, unknown>
    const local = '127.0.0.1:0'
    return { ...config, address: local, operationsAddress: local, webhookAddress: local }
  }

  async function until(path: string, fits: (body: Record<string, unknown>) => boolean) {
    for (let tries = 0; tries < 200; tries += 1) {
      const { body } = await lab.ask(path)
      if (fits(body)) return
      await new Promise((resume) => setTimeout(resume, 100))
    }
    const { body } = await lab.ask(path)
    assert.fail(`${path}: ${JSON.stringify(body)}\n${operator?.output()}`)
  }

  const isReady = (body: Record<string, unknown>): boolean => {
    const { conditions = [] } = (body['status'] ?? {}) as { conditions?: Condition[] }
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  }
  type Condition = Readonly<{ type: string; status: string }>

  /** As a pod that trusts the cluster's authority calls the Service. */
  async function exchange(endpoint: string, token: string) {
    const fields = { Version: '2011-06-15', Action: 'AssumeRoleWithWebIdentity' }
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
    const asking = request(
      `${endpoint}/sts/tenant-a`,
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        ca: readFileSync(lab.caFile),
        servername: `sts.${namespace}.svc`,
        agent: false,
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece))
        answer
          .on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
          .on('error', reject)
      },
    )
    asking.on('error', reject)
    asking.end(new URLSearchParams({ ...fields, WebIdentityToken: token }).toString())
    return promise
  }

  it('gets its certificate, says what it makes of resources, and is trusted by the API server', async (t) => {
    if (missing || operator === undefined) return t.skip(missing)
    await untilReady(operator)
    const own = '/apis/daypass.dev/v1/namespaces/tenant-a'
    await until(`${own}/bindings/web`, isReady)
    await until(`${own}/tenants/store`, isReady)
    const hooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
    await until(`${hooks}/${name}`, (body) => JSON.stringify(body).includes('"caBundle":"LS0t'))
    const { body } = await lab.ask(`/api/v1/namespaces/${namespace}/secrets/sts-tls`)
    assert.ok((body['data'] as Record<string, string>)['public.crt'])
  })

  it('gives a bound pod credentials, and another one none', async (t) => {
    if (missing || operator === undefined) return t.skip(missing)
    const { endpoint } = operator
    const bound = await exchange(endpoint, await lab.createToken('shop', 'web'))
    assert.equal(bound.status, 200, bound.text)
    assert.match(bound.text, /<SessionToken>/)
    const other = await exchange(endpoint, await lab.createToken('shop', 'default'))
    assert.equal(other.status, 403, other.text)
  })

  it('has met no right that the chart does not give', (t) => {
    if (missing || operator === undefined) return t.skip(missing)
    assert.doesNotMatch(operator.output(), /forbidden/i)
  })
})
