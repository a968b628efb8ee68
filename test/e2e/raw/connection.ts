import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'

/** An answer as it came over the wire. */
export type RawAnswer = Readonly<{
  status: number
  /** By lower-case name. */
  headers: ReadonlyMap<string, string>
  body: string
  /** The `Code` of an error document, S3's or the STS's. */
  code: string | undefined
}>

const longestSilenceMs = 20_000

/** A TCP connection that sends any bytes at all, and reads what answers to them. */
export class RawConnection {
  readonly #socket: Socket
  readonly #waiting: (() => void)[] = []
  #received = Buffer.alloc(0)
  #ended = false

  private constructor(socket: Socket) {
    this.#socket = socket
    const wake = (): void => this.#waiting.splice(0).forEach((resume) => resume())
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      wake()
    })
    socket.setTimeout(longestSilenceMs, () => socket.destroy())
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#ended = true
      wake()
    })
  }

  static async open(endpoint: string): Promise<RawConnection> {
    const { hostname, port } = new URL(endpoint)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  /** On one that is there already, such as one by TLS. */
  static over(socket: Socket): RawConnection {
    return new RawConnection(socket)
  }

  get isOpen(): boolean {
    return !this.#ended && this.#socket.writable
  }

  send(...pieces: readonly (Buffer | string)[]): void {
    for (const piece of pieces) {
      this.#socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
    }
  }

  /** The next answer that is final; `undefined` when the connection ends without one. */
  async answer(): Promise<RawAnswer | undefined> {
    for (;;) {
      const found = this.#take()
      if (found !== undefined && found.status >= 200) return found
      if (found !== undefined) continue
      if (this.#ended) return undefined
      await new Promise<void>((resume) => this.#waiting.push(resume))
    }
  }

  /** Gone at once, as when a cable is pulled: the other side gets a reset. */
  hangUp(): void {
    this.#socket.resetAndDestroy()
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(): RawAnswer | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [first = '', ...lines] = this.#received.toString('latin1', 0, end).split('\r\n')
    const status = Number(first.split(' ')[1])
    const headers = new Map(lines.map(parseLine))
    const length = status < 200 ? 0 : Number(headers.get('content-length') ?? 0)
    if (this.#received.length < end + 4 + length) return undefined
    const body = this.#received.toString('utf8', end + 4, end + 4 + length)
    this.#received = this.#received.subarray(end + 4 + length)
    return { status, headers, body, code: /<Code>(\w+)<\/Code>/.exec(body)?.[1] }
  }
}

function parseLine(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}

/** One request on a connection of its own. */
export async function sendRaw(
  endpoint: string,
  ...pieces: readonly (Buffer | string)[]
): Promise<RawAnswer | undefined> {
  const connection = await RawConnection.open(endpoint)
  try {
    connection.send(...pieces)
    return await connection.answer()
  } finally {
    connection.close()
  }
}

export type Headers = Readonly<Record<string, string>>

/** The head of a request, each byte of it as given. */
export function headOf(method: string, target: string, headers: Headers): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}
