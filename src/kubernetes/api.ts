import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import type { Agent } from 'undici'
import { Refusal } from '../errors.ts'

export type ClusterAccess = Readonly<{
  /** Path of a kubeconfig. Absent: the service account of the pod that we run in. */
  kubeconfig?: string | undefined
  /** Of the kubeconfig. Absent: its current one. */
  context?: string | undefined
}>

export type ApiRequest = Readonly<{
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  /** Default: `application/json`. Server-side apply: `application/apply-patch+yaml`. */
  contentType?: string
  /** For everything, from the connection to the last byte. Default: 5000. */
  timeoutMs?: number
  /** Ends it before that. */
  signal?: AbortSignal
}>

export type ApiAnswer = Readonly<{ status: number; text: string }>

/** One API server. What it says is not judged here: any status is an answer. */
export interface ClusterApi {
  /** `https://10.0.0.1:6443` */
  readonly server: string
  /** Rejects when there is no whole answer in time. `path` begins with a slash. */
  send(path: string, request?: ApiRequest): Promise<ApiAnswer>
  /**
   * Reads a watch line by line until the server ends it or `signal` does. Rejects when it breaks, when nothing comes for
   * `silenceMs`, or when it is not answered with 200 (an ApiError).
   */
  watch(path: string, options: WatchOptions): Promise<void>
  /** The authorities that vouch for the API server: PEM. Absent: those of the system. */
  readonly ca: string | undefined
  close(): Promise<void>
}

type WatchOptions = Readonly<{
  signal: AbortSignal
  silenceMs: number
  /** The server has accepted. */
  opened(): void
  take(line: string): void
}>

/** An answer with a status that says no. The code is the `reason` of a Kubernetes Status, such as `Forbidden`. */
export class ApiError extends Refusal {
  readonly status: number

  constructor(status: number, reason: string, message: string) {
    super(reason, message)
    this.status = status
  }
}

/** Most bytes of one answer: a list of ten thousand bindings has about ten. */
const mostBytes = 128 * 1024 * 1024
const mostLineBytes = 4 * 1024 * 1024
/** Where a pod finds its service account. */
const accountDir = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The way to an API server, as a kubeconfig or the pod's service account says: certificates, tokens that change,
 * commands that make some. Traffic goes there directly, whatever proxy the environment names.
 * @throws Error that says what to do when there is no such way
 */
export async function openClusterApi({ kubeconfig, context }: ClusterAccess): Promise<ClusterApi> {
  // It takes half a second and 90 MB to load.
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  if (kubeconfig === undefined) demandPod()
  if (kubeconfig === undefined) config.loadFromCluster()
  else config.loadFromFile(kubeconfig)
  if (context !== undefined) config.setCurrentContext(context)
  const server = config.getCurrentCluster()?.server
  if (server === undefined) {
    throw new Error(
      `${kubeconfig ?? 'the environment'} names no cluster${context === undefined ? '' : ` for context ${context}`}`,
    )
  }
  if (!URL.canParse(server)) throw new Error(`"${server}" is not the address of an API server`)
  return new Connection(server.replace(/\/+$/, ''), async () => {
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    const { ca, cert, key, servername, rejectUnauthorized, headers } = options
    return { tls: { ca, cert, key, servername, rejectUnauthorized }, headers }
  })
}

function demandPod(): void {
  if (existsSync(`${accountDir}/token`)) return
  throw new Error(
    `This is no pod of a cluster (there is no ${accountDir}/token); name a cluster with --kubeconfig`,
  )
}

type TlsOptions = Readonly<
  Partial<Record<'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized', unknown>>
>
type Way = Readonly<{ tls: TlsOptions; headers: RequestOptions['headers'] }>

/** How long certificates and tokens are used before they are looked at again: their files may have changed. */
const credentialsMs = 10_000

type Current = Readonly<{ at: number; headers: Headers; agent: Agent; stamp: string }>

class Connection implements ClusterApi {
  readonly server: string
  readonly #origin: string
  /** Behind some gateways, an API server lives below a path. */
  readonly #prefix: string
  readonly #readWay: () => Promise<Way>
  #current: Current | undefined
  #reading: Promise<Current> | undefined
  #ca: string | undefined

  constructor(server: string, readWay: () => Promise<Way>) {
    const { origin, pathname } = new URL(server)
    this.server = server
    this.#origin = origin
    this.#prefix = pathname.replace(/\/+$/, '')
    this.#readWay = readWay
  }

  get ca(): string | undefined {
    return this.#ca
  }

  async send(path: string, request: ApiRequest = {}): Promise<ApiAnswer> {
    const { method = 'GET', body, contentType = 'application/json', timeoutMs = 5000 } = request
    const timeout = AbortSignal.timeout(timeoutMs)
    const { agent, headers } = await this.#way()
    const { statusCode, body: answer } = await agent.request({
      origin: this.#origin,
      path: this.#prefix + path,
      method,
      headers: { ...headers, accept: '*/*', 'content-type': contentType },
      body: body === undefined ? null : JSON.stringify(body),
      signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
    })
    return { status: statusCode, text: await readText(answer) }
  }

  async watch(path: string, { signal, silenceMs, opened, take }: WatchOptions): Promise<void> {
    const { agent, headers } = await this.#way()
    const { statusCode, body } = await agent.request({
      origin: this.#origin,
      path: this.#prefix + path,
      method: 'GET',
      headers: { ...headers, accept: 'application/json' },
      signal,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
    })
    if (statusCode !== 200) throw apiError({ status: statusCode, text: await readText(body) })
    opened()
    const decoder = new TextDecoder('utf-8', { fatal: true })
    let rest = ''
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > mostLineBytes) throw new RangeError('a line of the watch is too long')
      for (const line of lines) if (line !== '') take(line)
    }
  }

  async close(): Promise<void> {
    await this.#current?.agent.destroy()
  }

  /** Read once, however many ask at the same time: each reading that differs makes connections of its own. */
  async #way(): Promise<Current> {
    const current = this.#current
    if (current && performance.now() - current.at < credentialsMs) return current
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** Connections are made anew when certificates have changed; those under way end by themselves. */
  async #read(): Promise<Current> {
    const { tls, headers = {} } = await this.#readWay()
    const stamp = hash('sha256', JSON.stringify(tls))
    const texts = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
    const agent = this.#current?.stamp === stamp ? this.#current.agent : await openAgent(tls)
    this.#ca = Buffer.isBuffer(tls.ca) ? tls.ca.toString('utf8') : undefined
    this.#current = { at: performance.now(), headers: Object.fromEntries(texts), agent, stamp }
    return this.#current
  }
}

type Headers = Readonly<Record<string, string>>

async function openAgent(tls: TlsOptions): Promise<Agent> {
  const { Agent: UndiciAgent } = await import('undici')
  const present = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))
  return new UndiciAgent({
    connections: 64,
    keepAliveTimeout: 30_000,
    connect: { ...present, timeout: 5000 },
  })
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > mostBytes) throw new RangeError(`the answer is longer than ${mostBytes} bytes`)
    pieces.push(piece)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces))
}

/** The Status that the API server answered with. */
export function apiError({ status, text }: ApiAnswer): ApiError {
  const { reason, message } = statusOf(text)
  return new ApiError(status, reason ?? `Status${status}`, message ?? `status ${status}`)
}

function statusOf(text: string): Readonly<{ reason?: string; message?: string }> {
  try {
    const { reason, message }: Record<string, unknown> = Object(JSON.parse(text))
    return {
      ...(typeof reason === 'string' && reason !== '' && { reason }),
      ...(typeof message === 'string' && { message: message.slice(0, 1000) }),
    }
  } catch {
    return {}
  }
}

/** The value of a good answer; undefined for 404. @throws ApiError for every other status */
export function valueOf(answer: ApiAnswer): unknown {
  if (answer.status === 404) return undefined
  if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.text)
  throw apiError(answer)
}
