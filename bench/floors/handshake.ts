/**
 * The floor of an exchange by certificate: the whole handshake with the client's certificate in it, and the same bytes
 * answered. Like Daypass it gives out no tickets.
 */
import { constants } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { readSettings } from './answer.ts'
import type { Answer } from './answer.ts'
import { announce, withBody } from './serve.ts'

export type HandshakeFloor = Readonly<{ certFile: string; keyFile: string; answer: Answer }>

const { certFile, keyFile, answer } = readSettings(process.argv[2]) as HandshakeFloor // oxlint-disable-line typescript/no-unsafe-type-assertion -- the part's own file
const settings = {
  cert: readFileSync(certFile),
  key: readFileSync(keyFile),
  requestCert: true,
  rejectUnauthorized: false,
  ca: [],
  secureOptions: constants.SSL_OP_NO_TICKET,
}

announce(
  createServer(settings, (request, response) => {
    withBody(request, () => response.writeHead(200, answer.headers).end(answer.body))
  }),
  'https',
)
