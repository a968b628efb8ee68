/**
 * A program: `authorisation.ts ROUNDS SECONDS DIR` prints the processor time that it takes to know who signed an S3
 * request of a warm session and whether it is allowed: twenty statements with conditions, and a session policy. Floor:
 * the hashes of the token and of the request and the HMAC, with a signing key that is at hand.
 */
import { createHmac, createSecretKey, hash } from 'node:crypto'
import type { HttpRequest } from '../../src/http.ts'
import { policyDocument } from '../policy-document.ts'
import { grantFor, openCore } from './core.ts'
import { authorise, signedGet } from './signed-request.ts'
import { readPace, timeInTurn } from './time-calls.ts'

const pace = readPace()
const core = await openCore(pace.rest[0] ?? '')
await core.admin.createPolicy('bench', JSON.stringify(policyDocument(20)))
await core.admin.createUser('bench')
await core.admin.attachUserPolicy('bench', 'bench')
const narrow = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::bench/*' }],
}
const { accessKeyId, secretAccessKey, sessionToken } = core.sessions.issue(
  await grantFor(core, 'bench', narrow),
)
const key = { accessKeyId, secret: secretAccessKey, sessionToken }
const requests = Array.from({ length: 64 }, (_, index) => signedGet(key, index))
const texts = requests.map(
  ({ method, path, headers }) => `${method}\n${path}\n${headers.flat().join('\n')}`,
)
const signingKey = createSecretKey(Buffer.alloc(32, 1))
const token = sessionToken.reveal()

const times = await timeInTurn(pace, {
  ours: (index) => authorise(core, requests[index % 64] as HttpRequest), // oxlint-disable-line typescript/no-unsafe-type-assertion -- there are 64
  // As asynchronous as the other, so that neither pays for that alone.
  async floor(index) {
    const text = hash('sha256', texts[index % 64] ?? '') + hash('sha256', token, 'base64')
    return createHmac('sha256', signingKey).update(text).digest()
  },
})
await core.close()
process.stdout.write(JSON.stringify(times))
