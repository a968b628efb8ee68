/** The floor of the web-identity exchange: verifies the same RS256 tokens with node:crypto, answers the same bytes. */
import { createPublicKey, verify } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { readSettings } from './answer.ts'
import type { Answer } from './answer.ts'
import { announce, withBody } from './serve.ts'

export type WebIdentityFloor = Readonly<{
  jwk: JsonWebKey
  answer: Answer
  /** Paths of PEM files. Absent: plain HTTP. */
  tls?: Readonly<{ certFile: string; keyFile: string }>
}>

const { jwk, answer, tls } = readSettings(process.argv[2]) as WebIdentityFloor // oxlint-disable-line typescript/no-unsafe-type-assertion -- the part's own file
const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
const parameter = 'WebIdentityToken='

const listener: RequestListener = (request, response) => {
  withBody(request, (body) => {
    const text = body.toString('latin1')
    const token = text.slice(text.indexOf(parameter) + parameter.length)
    const payloadAt = token.indexOf('.') + 1
    const signatureAt = token.lastIndexOf('.') + 1
    const signed = Buffer.from(token.slice(0, signatureAt - 1), 'latin1')
    const signature = Buffer.from(token.slice(signatureAt), 'base64url')
    verify('sha256', signed, publicKey, signature, (_error, good) => {
      const payload = Buffer.from(token.slice(payloadAt, signatureAt - 1), 'base64url')
      const { exp } = JSON.parse(payload.toString('utf8')) as { exp: number } // oxlint-disable-line typescript/no-unsafe-type-assertion -- our own tokens
      const status = good && exp * 1000 > Date.now() ? 200 : 403
      response.writeHead(status, answer.headers).end(answer.body)
    })
  })
}

if (tls === undefined) announce(createServer(listener), 'http')
else {
  const [cert, key] = [readFileSync(tls.certFile), readFileSync(tls.keyFile)]
  announce(createTlsServer({ cert, key }, listener), 'https')
}
