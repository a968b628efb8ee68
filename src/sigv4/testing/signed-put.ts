import { signRequest } from '../index.ts'
import type { Verified } from '../index.ts'
import { example, verify, wire } from './wire.ts'

const now = new Date('2026-01-01T12:00:00Z')

/** A proven PUT whose `x-amz-content-sha256` is this. */
export function put(payload: string, path = '/bucket/key'): Verified {
  const request = wire('PUT', path, [['host', 's3.example.test']])
  const scope = { region: 'us-east-1', service: 's3' }
  const added = signRequest(request, example, scope, now, payload)
  const signed = { ...request, headers: [...request.headers, ...added] }
  return verify(signed, example, { services: ['s3'], now })
}
