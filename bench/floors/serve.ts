import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'

/** How a floor says where it listens. */
export const floorAddress = /serving (https?:\S+)/

/** A bare server: no routing, no checks, no log. */
export function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): void {
  announce(createServer(answer), 'http')
}

/** Listens on loopback and says where. */
export function announce(server: Server, scheme: 'http' | 'https'): void {
  server.listen(0, '127.0.0.1', () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = server.address() as AddressInfo
    process.stdout.write(`serving ${scheme}://127.0.0.1:${port}\n`)
  })
}

/** The whole body, then what is to be done with it. */
export function withBody(request: IncomingMessage, use: (body: Buffer) => void): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => use(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks)))
}

const empty = Buffer.alloc(0)
