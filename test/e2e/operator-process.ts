import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request as send } from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { KubeLab } from '../labs/kube-lab.ts'
import { Workshop } from '../../src/identity/certificate/testing/authority.ts'
import { cleanEnvironment } from './daypass-server.ts'

const command = resolve(import.meta.dirname, '../../src/cli/daypass.ts')

/** The real `daypass operator` in a process of its own, against the API server of the lab. */
export type Operator = Readonly<{
  /** `https://127.0.0.1:PORT`, with a certificate for `localhost` and 127.0.0.1. */
  endpoint: string
  operationsEndpoint: string
  webhookEndpoint: string | undefined
  /** PEM: whom to trust for it. */
  caFile: string
  /** The certificate and key that it serves with, for replacing them. */
  workshop: Workshop
  /** The lines of its audit log so far. */
  audit(): readonly Record<string, unknown>[]
  /** Nobody reads the audit log any more: the pipe is broken. */
  breakAudit(): void
  /** What it has said to people and to the log. */
  output(): string
  pid: number
  /** `undefined` while it runs, and when a signal has ended it. */
  exitCode(): number | undefined
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>
}>

type Options = Readonly<{
  /** Default: the administrator's. */
  kubeconfig?: string
  /** Members of the configuration file, beside addresses and certificate. */
  config?: Readonly<Record<string, unknown>>
  env?: Readonly<Record<string, string>>
}>

export async function startOperator(lab: KubeLab, options: Options = {}): Promise<Operator> {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-operator-'))
  const workshop = new Workshop()
  workshop.make('authority', { extensions: 'ca' })
  workshop.make('sts', {
    by: 'authority',
    extensions: ['extendedKeyUsage=serverAuth', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  })
  const file = join(dir, 'operator.yaml')
  const config = {
    address: '127.0.0.1:0',
    operationsAddress: '127.0.0.1:0',
    webhookAddress: '127.0.0.1:0',
    certificate: {
      mode: 'files',
      certFile: workshop.file('sts.pem'),
      keyFile: workshop.file('sts.key'),
    },
    limits: { perSecond: 10_000, burst: 10_000 },
    ...options.config,
  }
  writeFileSync(file, JSON.stringify(config))
  const args = ['operator', '--config', file, '--kubeconfig', options.kubeconfig ?? lab.kubeconfig]
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [audit, output] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (audit += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  const deadline = Date.now() + 30_000
  const find = (pattern: RegExp) => pattern.exec(output)?.[1]
  while (find(/Operations\s+(http\S+)\/metrics/) === undefined) {
    if (Date.now() > deadline || child.exitCode !== null) {
      child.kill('SIGKILL')
      throw new Error(`the operator did not start:\n${output}`)
    }
    await new Promise((resume) => setTimeout(resume, 20))
  }
  const operationsEndpoint = find(/Operations\s+(http\S+)\/metrics/) ?? ''
  const operator: Operator = {
    endpoint: (find(/STS\s+(https\S+)\/sts/) ?? '').replace('[::]', '127.0.0.1'),
    operationsEndpoint,
    webhookEndpoint: find(/Admission\s+(https\S+)\/validate/),
    caFile: workshop.file('authority.pem'),
    workshop,
    audit: () =>
      audit
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    breakAudit: () => void child.stdout.destroy(),
    output: () => output,
    pid: child.pid ?? 0,
    exitCode: () => child.exitCode ?? undefined,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await once(child, 'exit')
      }
      rmSync(dir, { recursive: true, force: true })
    },
  }
  return operator
}

/** Waits until it says that it is ready. */
export async function untilReady({ operationsEndpoint, output }: Operator): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const answer = await fetch(`${operationsEndpoint}/ready`)
    if (answer.status === 200) return
    if (Date.now() > deadline) throw new Error(`not ready: ${await answer.text()}\n${output()}`)
    await new Promise((resume) => setTimeout(resume, 50))
  }
}

export type StsAnswer = Readonly<{ status: number; headers: IncomingHttpHeaders; text: string }>

type Ask = Readonly<{
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string | Buffer
}>

/** Over TLS with the operator's authority and nobody else's. */
export async function askOperator(
  { endpoint, caFile }: Pick<Operator, 'endpoint' | 'caFile'>,
  path: string,
  { method = 'POST', headers = {}, body }: Ask = {},
): Promise<StsAnswer> {
  const { promise, resolve: answered, reject } = Promise.withResolvers<IncomingMessage>()
  const request = send(
    `${endpoint}${path}`,
    { method, headers, ca: readFileSync(caFile), agent: false },
    answered,
  )
  request.on('error', reject)
  request.end(body)
  const answer = await promise
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece as Buffer)
  const text = Buffer.concat(pieces).toString('utf8')
  return { status: answer.statusCode ?? 0, headers: answer.headers, text }
}

/** As boto and minio-go post it. */
export function exchange(
  operator: Pick<Operator, 'endpoint' | 'caFile'>,
  tenant: string,
  token: string,
  more: Readonly<Record<string, string>> = {},
): Promise<StsAnswer> {
  const fields = {
    Version: '2011-06-15',
    Action: 'AssumeRoleWithWebIdentity',
    WebIdentityToken: token,
    ...more,
  }
  return askOperator(operator, `/sts/${tenant}`, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
}

/** The text of the first element of that name. */
export function elementOf({ text }: StsAnswer, name: string): string {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? ''
}

/** The keys in a good answer. Throws when it is none. */
export function keysOf(answer: StsAnswer) {
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  const unescape = (value: string) =>
    value.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
  return {
    accessKeyId: elementOf(answer, 'AccessKeyId'),
    secretAccessKey: unescape(elementOf(answer, 'SecretAccessKey')),
    sessionToken: unescape(elementOf(answer, 'SessionToken')),
  }
}
