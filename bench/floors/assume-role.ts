/**
 * The floor of AssumeRole: the hashes of body and request and the HMAC that a signature check takes, with a signing key
 * that is at hand; answers the same bytes. It knows no canonical form, so it compares with nothing.
 */
import { createHmac, createSecretKey, hash } from 'node:crypto'
import { readSettings } from './answer.ts'
import type { Answer } from './answer.ts'
import { serve, withBody } from './serve.ts'

export type AssumeRoleFloor = Readonly<{ answer: Answer }>

const { answer } = readSettings(process.argv[2]) as AssumeRoleFloor // oxlint-disable-line typescript/no-unsafe-type-assertion -- the part's own file
const signingKey = createSecretKey(Buffer.alloc(32, 1))

serve((request, response) => {
  withBody(request, (body) => {
    const canonical = `${request.rawHeaders.join('\n')}\n${hash('sha256', body)}`
    const signature = createHmac('sha256', signingKey).update(hash('sha256', canonical)).digest()
    response.writeHead(signature.length === 32 ? 200 : 403, answer.headers).end(answer.body)
  })
})
