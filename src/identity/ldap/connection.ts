import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Client, ResultCodeError, type Entry, type Filter } from 'ldapts'

export type Target = Readonly<{ host: string; port: number }>

export type ConnectionSettings = Readonly<{
  security: 'ldaps' | 'starttls' | 'plain'
  /** The name that the server's certificate has to carry. Default: the host that is asked. */
  tlsServerName: string | undefined
  /** PEM file: the only certificate authorities that are trusted. Read for every connection. */
  caFile: string | undefined
  insecureSkipVerify: boolean
  /** For connecting, for TLS, and for each operation. */
  timeoutMs: number
}>

type Search = Readonly<{
  scope: 'base' | 'sub'
  filter: Filter
  attributes: readonly string[]
  /** More entries than these are not waited for. */
  mostEntries: number
}>

const mostBytesPerOperation = 8 * 1024 * 1024
const startTls = '1.3.6.1.4.1.1466.20037'
const largestPage = 200

/** Reaches one server, through TLS unless told not to. Nobody is bound yet. Rejects when it takes too long. */
export async function openConnection(
  target: Target,
  settings: ConnectionSettings,
): Promise<LdapConnection> {
  const { security, timeoutMs } = settings
  const socket = connect({ host: target.host, port: target.port, noDelay: true })
  try {
    await untilReady(socket, 'connect', timeoutMs)
    if (security === 'plain') return new LdapConnection(socket, timeoutMs)
    if (security === 'starttls') await askForTls(socket, timeoutMs)
    return new LdapConnection(await secure(socket, target.host, settings), timeoutMs)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function untilReady(socket: Socket, event: string, timeoutMs: number): Promise<void> {
  // Errors that come later end in 'close', which is listened for.
  socket.on('error', () => {})
  const signal = AbortSignal.timeout(timeoutMs)
  await once(socket, event, { signal }).catch((error: unknown) => {
    throw signal.aborted ? new Error('connecting took too long') : error
  })
}

/**
 * The extended operation of RFC 4511, section 4.14. It has a client, and so a parser, of its own: what somebody on the way
 * sends in plain text behind the answer is thrown away with it. In one client for both, the beginning of a forged
 * "success" would wait there to be completed by the first byte that comes through TLS.
 */
async function askForTls(socket: Socket, timeoutMs: number): Promise<void> {
  await clientOver(socket, timeoutMs).exop(startTls)
  socket.removeAllListeners('data')
}

async function secure(plain: Socket, host: string, settings: ConnectionSettings): Promise<Socket> {
  const name = settings.tlsServerName ?? host
  const { caFile } = settings
  const socket = connectTls({
    socket: plain,
    host: name,
    ...(isIP(name) === 0 && { servername: name }),
    ...(caFile !== undefined && { ca: await readFile(caFile) }),
    minVersion: 'TLSv1.2',
    rejectUnauthorized: !settings.insecureSkipVerify,
  })
  await untilReady(socket, 'secureConnect', settings.timeoutMs).catch((error: unknown) => {
    socket.destroy()
    throw error
  })
  return socket
}

/**
 * The library connects anew by itself when a connection is gone: without StartTLS, and as nobody. So it gets one socket,
 * once.
 */
function clientOver(socket: Socket, timeoutMs: number): Client {
  let isTaken = false
  return new Client({
    url: 'ldap://directory.invalid',
    timeout: timeoutMs,
    connectTimeout: timeoutMs,
    createConnection: () => {
      if (isTaken || socket.destroyed) throw new Error('the connection is closed')
      isTaken = true
      return socket
    },
  })
}

/** More than were wanted. */
export class TooManyEntries extends Error {
  readonly entries: readonly Entry[]

  constructor(entries: readonly Entry[]) {
    super('the directory found more entries than there may be')
    this.entries = entries
  }
}

/** One connection to one server. Use it for one thing at a time. */
export class LdapConnection {
  readonly #socket: Socket
  readonly #client: Client
  readonly #timeoutMs: number
  #received = 0
  #isClosed = false
  #onClose: () => void = () => {}

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    this.#client = clientOver(socket, timeoutMs)
    socket.on('data', (bytes: Buffer) => this.#count(bytes))
    socket.once('close', () => this.#onClose())
  }

  get isOpen(): boolean {
    return !this.#isClosed && !this.#socket.destroyed && this.#socket.readyState === 'open'
  }

  set onClose(use: () => void) {
    this.#onClose = use
  }

  /** A simple bind (RFC 4513, section 5.1). @throws {ResultCodeError} when the server says anything but success */
  async bind(name: string, password: string): Promise<void> {
    this.#received = 0
    await this.#client.bind(name, password)
  }

  /** Rejects as well when there are more entries than wanted: a part of the answer is none. */
  async search(base: string, { mostEntries, ...search }: Search): Promise<readonly Entry[]> {
    this.#received = 0
    const found: Entry[] = []
    const pages = this.#client.searchPaginated(base, {
      ...search,
      attributes: [...search.attributes],
      timeLimit: Math.ceil(this.#timeoutMs / 1000),
      paged: { pageSize: Math.min(mostEntries, largestPage) },
    })
    for await (const page of pages) {
      // One entry was asked for, and another server would know about it: that is no word about whether it is there.
      if (search.scope === 'base' && page.searchReferences.length > 0) {
        throw new Error('the directory refers to another server')
      }
      found.push(...page.searchEntries)
      if (found.length > mostEntries) throw new TooManyEntries(found)
    }
    return found
  }

  /** Says good-bye when it can, and closes. */
  close(): void {
    this.#isClosed = true
    this.#client.unbind().catch(() => {})
    this.#socket.destroySoon()
  }

  #count(bytes: Buffer): void {
    this.#received += bytes.length
    if (this.#received > mostBytesPerOperation) this.#socket.destroy()
  }
}

/** The result code of RFC 4511, section 4.1.9, where a server has given one. */
export function resultCodeOf(error: unknown): number | undefined {
  return error instanceof ResultCodeError ? error.code : undefined
}
