/**
 * A program: `authorisation.ts ROUNDS SECONDS DIR` prints the processor time that it takes to know who signed an S3
 * request of a warm session and whether it is allowed: twenty statements with conditions, and a session policy. Floor:
 * the hashes of the token and of the request and the HMAC, with a signing key that is at hand.
 */
import { createHmac, createSecretKey, hash } from 'node:crypto'
import type { HttpRequest } from '../../src/http.ts'
import { signRequest } from '../../src/sigv4/index.ts'
import { policyDocument } from '../policy-document.ts'
import { grantFor, openCore } from './core.ts'
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
const target = { region: 'us-east-1', service: 's3' }
const sha256 = hash('sha256', '')

async function* empty(): AsyncGenerator<Uint8Array> {}

const requests = Array.from({ length: 64 }, (_, index): HttpRequest => {
  const now = new Date()
  const wire = {
    method: 'GET',
    path: `/bench/home/user-${index}/report.csv`,
    query: '',
    headers: [
      ['host', '127.0.0.1:9000'],
      ['user-agent', 'aws-sdk-js/3.1169.0 os/linux lang/js'],
      ['accept-encoding', 'identity'],
      ['amz-sdk-request', 'attempt=1; max=3'],
    ] as const,
  }
  const signed = signRequest(wire, key, target, now, sha256)
  return {
    ...wire,
    id: `REQUEST${index}`,
    headers: [...wire.headers, ...signed],
    body: empty(),
    source: '127.0.0.1',
    secure: false,
    receivedAt: now,
    proceed: () => undefined,
  }
})
const texts = requests.map(
  ({ method, path, headers }) => `${method}\n${path}\n${headers.flat().join('\n')}`,
)
const signingKey = createSecretKey(Buffer.alloc(32, 1))
const token = sessionToken.reveal()

const times = await timeInTurn(pace, {
  async ours(index) {
    const request = requests[index % 64] as HttpRequest // oxlint-disable-line typescript/no-unsafe-type-assertion -- there are 64
    const caller = await core.access.authenticate(request, { services: ['s3'] })
    const resource = `arn:aws:s3:::${request.path.slice(1)}`
    core.access.authorize(caller, request, [{ action: 's3:GetObject', resource }])
  },
  // As asynchronous as the other, so that neither pays for that alone.
  async floor(index) {
    const text = hash('sha256', texts[index % 64] ?? '') + hash('sha256', token, 'base64')
    return createHmac('sha256', signingKey).update(text).digest()
  },
})
await core.close()
process.stdout.write(JSON.stringify(times))
