import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

const operations = new Map([
  [0x60, 'bind'],
  [0x42, 'unbind'],
  [0x63, 'search'],
  [0x77, 'extended'],
])

/** Stands between a client and a directory that speaks plain text, and writes down what is asked. */
export type Tap = Readonly<{
  port: number
  /** Every request so far: the number of its connection, and what it is. */
  requests: readonly Readonly<{ connection: number; operation: string }>[]
  connections: () => number
  /** Cuts every connection that is open. */
  cut(): void
  close(): void
}> & {
  /** While true nobody gets through who comes anew. */
  away: boolean
}

/** @param forged is put behind the first thing that the directory says on each connection */
export async function startTap(port: number, forged: Buffer = Buffer.alloc(0)): Promise<Tap> {
  const requests: { connection: number; operation: string }[] = []
  const open = new Set<Socket>()
  let count = 0
  const server = createServer((client) => {
    if (tap.away) {
      client.destroy()
      return
    }
    const connection = (count += 1)
    const directory = connect(port, '127.0.0.1')
    let pending = Buffer.alloc(0)
    client.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes])
      for (let one = firstMessage(pending); one !== undefined; one = firstMessage(pending)) {
        requests.push({ connection, operation: operations.get(one.tag) ?? one.tag.toString(16) })
        pending = pending.subarray(one.length)
      }
      directory.write(bytes)
    })
    directory.once('data', (bytes) => client.write(Buffer.concat([bytes, forged])))
    directory.once('data', () => directory.on('data', (bytes) => client.write(bytes)))
    for (const [one, other] of [
      [client, directory],
      [directory, client],
    ] as const) {
      open.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const tap: Tap = {
    port: (server.address() as AddressInfo).port,
    away: false,
    requests,
    connections: () => count,
    cut: () => open.forEach((socket) => socket.destroy()),
    close() {
      server.close()
      open.forEach((socket) => socket.destroy())
    },
  }
  return tap
}

/** `LDAPMessage ::= SEQUENCE { messageID, protocolOp, … }` (RFC 4511, section 4.1.1) */
function firstMessage(bytes: Buffer): { tag: number; length: number } | undefined {
  // What goes through TLS cannot be read.
  const outer = bytes[0] === 0x30 ? header(bytes, 0) : undefined
  if (outer === undefined || bytes.length < outer.end) return undefined
  const id = header(bytes, outer.start)
  return id && { tag: bytes[id.end] ?? 0, length: outer.end }
}

function header(bytes: Buffer, at: number): { start: number; end: number } | undefined {
  const first = bytes[at + 1]
  if (first === undefined) return undefined
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  const size = first - 0x80
  if (bytes.length < at + 2 + size) return undefined
  const start = at + 2 + size
  return { start, end: start + bytes.readUIntBE(at + 2, size) }
}
