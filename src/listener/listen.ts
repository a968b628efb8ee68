import { constants } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { createSourceReader } from './source.ts'
import { watchTlsFiles } from './tls-files.ts'
import type { TlsMaterial, TlsPair } from './tls-material.ts'
import { toHttpRequest } from './to-http-request.ts'
import { writeResponse } from './write-response.ts'

type TlsFileNames = Readonly<{ certFile: string; keyFile: string }>

export type ListenOptions = Readonly<{
  /** `host:port`; port 0 takes any. An empty host listens on every address. */
  address: string
  tls?: Readonly<
    (TlsFileNames | { material: TlsMaterial }) & {
      /** Asks every client for a certificate and takes whatever comes, none included: others judge it. */
      requestClientCertificates?: boolean
    }
  >
  trustedProxies: readonly string[]
  /** Answers every request; what it throws becomes `broken`. */
  handle(request: HttpRequest): Promise<HttpResponse>
  /** The answer for a fault of ours. */
  broken(request: HttpRequest): HttpResponse
  onError(what: string, error: unknown): void
  clock: () => Date
  requestId: () => string
  /** How long the other side may be silent inside a request or an answer. Default: a minute. */
  idleTimeoutMs?: number
}>

export type Listener = Readonly<{
  /** `http://127.0.0.1:9000` */
  url: string
  /** Lets running requests end, for at most the given time, and then cuts the rest. */
  close(graceMs: number): Promise<void>
}>

/** Time for the whole header, and for keep-alive between requests. */
const headersTimeoutMs = 15_000
const keepAliveTimeoutMs = 30_000
/** Session tokens travel in headers, so Node's 16 KiB are too few; the S3 face has a stricter limit of its own. */
const maxHeaderBytes = 32 * 1024
const maxConnections = 10_000

// Nobody needs a second handshake on a connection: it would bring another certificate in the middle, and costs us dearly.
const handshake = { secureOptions: constants.SSL_OP_NO_RENEGOTIATION }

// A resumed session brings the leaf back and not what was presented along with it, so with tickets every second
// connection of a client whose authority is an intermediate one would be refused.
const clientCertificates = {
  requestCert: true,
  rejectUnauthorized: false,
  // What TLS itself makes of a chain does not count, so it need not look through all authorities of the web.
  ca: [],
  secureOptions: handshake.secureOptions | constants.SSL_OP_NO_TICKET,
}

export async function listen(options: ListenOptions): Promise<Listener> {
  const readSource = createSourceReader(options.trustedProxies)
  const settings = {
    headersTimeout: headersTimeoutMs,
    // Uploads may take hours; what must not happen is silence, which `endSilence` cuts.
    requestTimeout: 0,
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: maxHeaderBytes,
    connectionsCheckingInterval: 5000,
  }
  const tls = options.tls && openMaterial(options.tls, options.onError)
  const requested = options.tls?.requestClientCertificates === true ? clientCertificates : handshake
  const idleMs = options.idleTimeoutMs ?? 60_000
  const secure = { ...requested, handshakeTimeout: Math.min(headersTimeoutMs, idleMs) }
  const ending = new AbortController()
  const server = tls
    ? createSecureServer(settings, secure, tls, ending.signal)
    : createServer(settings)
  server.maxConnections = maxConnections
  // Node leaves out what comes after the two thousandth without a word, such as what a proxy adds at the end.
  server.maxHeadersCount = 0
  const exchanges = endSilence(server, idleMs)

  const answer = (
    message: IncomingMessage,
    reply: ServerResponse,
    mayProceed: () => void,
  ): void => {
    const request = toHttpRequest(message, {
      id: options.requestId(),
      secure: tls !== undefined,
      receivedAt: options.clock(),
      readSource,
      proceed: mayProceed,
    })
    exchanges.set(message.socket, { message, reply })
    // RFC 9112, section 3.2: a proxy in front may have gone by the one, and we would go by the other.
    if (request.headers.filter(isHost).length > 1) {
      return void reply.writeHead(400, { connection: 'close', 'content-length': '0' }).end()
    }
    // A client that breaks off shows up as an error of the body; somebody must listen even if nobody reads.
    message.on('error', () => undefined)
    options
      .handle(request)
      .catch((error: unknown) => {
        options.onError(`request ${request.id}`, error)
        return options.broken(request)
      })
      // A connection that went on would be cut with the next request in it.
      .then((response) =>
        writeResponse(message, reply, server.listening ? response : { ...response, close: true }),
      )
      .catch((error: unknown) => {
        options.onError(`answering request ${request.id}`, error)
        reply.destroy()
      })
  }
  server.on('request', (message, reply) => answer(message, reply, () => undefined))
  server.on('checkContinue', (message, reply) => {
    let asked = true
    answer(message, reply, () => {
      if (asked) reply.writeContinue()
      asked = false
    })
  })
  server.on('checkExpectation', (_message, reply) => {
    reply.writeHead(417, { connection: 'close' }).end()
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const status = refusalOf(error.code)
    // Without an HTTP connection there is nobody to tell: an answer would wait for ever for a handshake that does not come.
    if (!socket.writable || status === undefined) socket.destroy()
    else socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  })

  await bind(server, options.address)
  return {
    url: urlOf(server, options.address, tls !== undefined),
    close: (graceMs) => closeServer(server, graceMs).finally(() => ending.abort()),
  }
}

/** `undefined`: what is wrong is not what was sent as HTTP. */
function refusalOf(code = ''): string | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large'
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout'
  return code.startsWith('HPE_') ? '400 Bad Request' : undefined
}

function isHost([name]: HttpRequest['headers'][number]): boolean {
  return name.length === 4 && name.toLowerCase() === 'host'
}

type Exchange = Readonly<{ message: IncomingMessage; reply: ServerResponse }>

/**
 * Cuts connections on which nothing moves. While a whole request waits for its answer the silence is ours: syncing a
 * large upload or hashing a large copy may take minutes, and the client must hear how it ended.
 */
function endSilence(server: Server, idleMs: number): WeakMap<Socket, Exchange> {
  const exchanges = new WeakMap<Socket, Exchange>()
  server.setTimeout(idleMs, (socket) => {
    const { message, reply } = exchanges.get(socket) ?? {}
    if (message?.complete === true && reply?.headersSent === false) socket.setTimeout(idleMs)
    else socket.destroy()
  })
  return exchanges
}

function openMaterial(
  tls: NonNullable<ListenOptions['tls']>,
  onError: ListenOptions['onError'],
): TlsMaterial {
  if ('material' in tls) return tls.material
  return watchTlsFiles(tls, (error) => onError('tls files', error))
}

/** Connections go on under the certificate that they began with. */
function createSecureServer(
  settings: ServerOptions,
  secure: TlsOptions,
  material: TlsMaterial,
  ending: AbortSignal,
): Server {
  const server = withOwnCertificate(material, (own) =>
    createTlsServer({ ...settings, ...secure, ...own }),
  )
  const end = material.onChange((pair) => server.setSecureContext({ ...secure, ...pair }))
  ending.addEventListener('abort', end, { once: true })
  return server
}

/** OpenSSL says neither which file it means nor, in words for people, what is wrong with it. */
function withOwnCertificate<T>(material: TlsMaterial, use: (own: TlsPair | undefined) => T): T {
  try {
    return use(material.read())
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `tls: certFile and keyFile are not a PEM certificate and its key (${reason})`
    throw new Error(message, { cause })
  }
}

function bind(server: Server, address: string): Promise<void> {
  const { host, port } = splitAddress(address)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':')
  return {
    host: address.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(address.slice(colon + 1)),
  }
}

function urlOf(server: Server, address: string, secure: boolean): string {
  const bound = server.address()
  const port = typeof bound === 'object' ? bound?.port : undefined
  const host = address.slice(0, address.lastIndexOf(':'))
  return `${secure ? 'https' : 'http'}://${host === '' ? 'localhost' : host}:${port}`
}

function closeServer(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })
}
