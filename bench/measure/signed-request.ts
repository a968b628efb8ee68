import { hash } from 'node:crypto'
import type { HttpRequest } from '../../src/http.ts'
import { signRequest } from '../../src/sigv4/index.ts'
import type { ClientKey } from '../../src/sigv4/index.ts'
import type { Core } from './core.ts'

const target = { region: 'us-east-1', service: 's3' }

async function* empty(): AsyncGenerator<Uint8Array> {}

/** A GET of an object as it arrives, signed by the key just now. */
export function signedGet(key: ClientKey, index: number): HttpRequest {
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
  const signed = signRequest(wire, key, target, now, hash('sha256', ''))
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
}

/** Who signed, and whether that one may. Throws when not. */
export async function authorise({ access }: Core, request: HttpRequest): Promise<void> {
  const caller = await access.authenticate(request, { services: ['s3'] })
  const resource = `arn:aws:s3:::${request.path.slice(1)}`
  access.authorize(caller, request, [{ action: 's3:GetObject', resource }])
}
