import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request as send } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const command = resolve(import.meta.dirname, 'kube')
const run = promisify(execFile)

/** An object as Kubernetes writes it. */
export type KubeObject = Readonly<{
  apiVersion: string
  kind: string
  metadata: Readonly<{ name: string; namespace?: string } & Record<string, unknown>>
}> &
  Readonly<Record<string, unknown>>

export type KubeAnswer = Readonly<{ status: number; body: Record<string, unknown> }>

type Ask = Readonly<{
  method?: string
  body?: unknown
  contentType?: string
  /** Instead of the administrator's certificate. */
  token?: string
}>

type TokenWishes = Readonly<{
  audiences?: readonly string[]
  expirationSeconds?: number
  boundObjectRef?: Readonly<Record<string, string>>
}>

/** A real API server of `test/labs/kube`, on loopback. */
export type KubeLab = Readonly<{
  dir: string
  url: string
  kubeconfig: string
  caFile: string
  caKeyFile: string
  etcdUrl: string
  /** `path` begins with a slash. Any status is an answer. */
  ask(path: string, wishes?: Ask): Promise<KubeAnswer>
  /** Server-side apply as the administrator, by plural name of the kind. Throws when it is refused. */
  apply(plural: string, object: KubeObject): Promise<KubeAnswer>
  /** Makes a namespace and waits until accounts can be made in it. */
  createNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>
  createServiceAccount(
    namespace: string,
    name: string,
    labels?: Readonly<Record<string, string>>,
  ): Promise<void>
  /** By the TokenRequest API. Default: audience `sts.min.io`, an hour. */
  createToken(namespace: string, serviceAccount: string, wishes?: TokenWishes): Promise<string>
  stop(server: 'etcd' | 'apiserver' | 'controllers'): Promise<void>
  start(server: 'etcd' | 'apiserver' | 'controllers'): Promise<void>
  /** Ends everything and removes it. */
  down(): Promise<void>
}>

/** Or why it cannot be had here: not built, no root, another system. */
export async function startKube(): Promise<KubeLab | string> {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-kube-'))
  try {
    await run(command, ['up', dir], { timeout: 150_000 })
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    rmSync(dir, { recursive: true, force: true })
    return `no cluster to test against: ${stderr.trim().split('\n').at(-1) || String(error)}`
  }
  return openLab(dir)
}

function openLab(dir: string): KubeLab {
  const lines = readFileSync(join(dir, 'env'), 'utf8').trim().split('\n')
  const values = new Map(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const value = (name: string): string => {
    const found = values.get(name)
    if (found === undefined) throw new Error(`the lab does not say ${name}`)
    return found
  }
  const url = value('KUBE_URL')
  const administrator = {
    ca: readFileSync(value('KUBE_CA')),
    cert: readFileSync(value('KUBE_ADMIN_CERTIFICATE')),
    key: readFileSync(value('KUBE_ADMIN_KEY')),
  }

  const ask = (path: string, wishes: Ask = {}) => askServer(url + path, wishes, administrator)
  const demand = async (path: string, wishes: Ask): Promise<KubeAnswer> => {
    const answer = await ask(path, wishes)
    if (answer.status < 300 || answer.status === 409) return answer
    throw new Error(`${wishes.method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  const control = async (verb: string, server: string): Promise<void> => {
    await run(command, [verb, dir, server], { timeout: 90_000 })
  }
  const create = (path: string, body: unknown) => demand(path, { method: 'POST', body })

  return {
    dir,
    url,
    kubeconfig: value('KUBECONFIG'),
    caFile: value('KUBE_CA'),
    caKeyFile: value('KUBE_CA_KEY'),
    etcdUrl: value('KUBE_ETCD_URL'),
    ask,
    apply(plural, object) {
      const { name, namespace } = object.metadata
      const group = object.apiVersion.includes('/') ? `apis/${object.apiVersion}` : 'api/v1'
      const place = namespace === undefined ? '' : `/namespaces/${namespace}`
      return demand(`/${group}${place}/${plural}/${name}?fieldManager=test&force=true`, {
        method: 'PATCH',
        contentType: 'application/apply-patch+yaml',
        body: object,
      })
    },
    async createNamespace(name, labels) {
      await create('/api/v1/namespaces', { metadata: { name, labels } })
      for (let tries = 0; tries < 100; tries += 1) {
        const { status } = await ask(`/api/v1/namespaces/${name}/serviceaccounts/default`)
        if (status === 200) return
        await new Promise((resume) => setTimeout(resume, 50))
      }
      throw new Error(`namespace ${name} gets no service account`)
    },
    async createServiceAccount(namespace, name, labels) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
      await create(path, { metadata: { name, labels } })
    },
    async createToken(namespace, serviceAccount, wishes = {}) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`
      const spec = { audiences: ['sts.min.io'], expirationSeconds: 3600, ...wishes }
      const { body } = await create(path, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec,
      })
      const token: unknown = (body['status'] as Record<string, unknown> | undefined)?.['token']
      if (typeof token === 'string') return token
      throw new Error('the API server gave no token')
    },
    stop: (server) => control('stop', server),
    start: (server) => control('start', server),
    async down() {
      await run(command, ['down', dir], { timeout: 60_000 })
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

type Administrator = Readonly<{ ca: Buffer; cert: Buffer; key: Buffer }>

async function askServer(
  url: string,
  { method = 'GET', body, contentType = 'application/json', token }: Ask,
  { ca, cert, key }: Administrator,
): Promise<KubeAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const { promise, resolve: answered, reject } = Promise.withResolvers<IncomingMessage>()
  const identity = token === undefined ? { cert, key } : {}
  const headers = {
    accept: '*/*',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(text !== undefined && { 'content-type': contentType }),
  }
  const request = send(url, { method, ca, ...identity, headers, agent: false }, answered)
  request.on('error', reject)
  request.end(text)
  const answer = await promise
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece as Buffer)
  const answerText = Buffer.concat(pieces).toString('utf8')
  return { status: answer.statusCode ?? 0, body: parse(answerText) }
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return { text }
  }
}
