import { randomBytes } from 'node:crypto'
import type { OidcIssuer } from '../../fakes/oidc-issuer.ts'
import { createIssuerKey } from '../../fakes/oidc-issuer.ts'
import type { Keys } from '../keys.ts'
import { headOf } from './connection.ts'
import type { Headers } from './connection.ts'
import { sha256, signRaw } from './signing.ts'

export type GarbageSource = Readonly<{
  host: string
  /** Keys that sign rightly what is then wrong in other ways. */
  keys: Keys
  bucket: string
  idp: OidcIssuer
}>

/** Requests that all have to be refused, each made afresh: what one leaves behind, thousands pile up. */
export function garbageMakers(source: GarbageSource): readonly (() => Buffer)[] {
  const { host, keys, bucket, idp } = source
  const forger = createIssuerKey('ES256', idp.signingKey.kid)
  const word = () => randomBytes(8).toString('hex')
  const bulk = (bytes = 24_000) => randomBytes(bytes).toString('base64url')

  const request = (method: string, target: string, headers: Headers, body = ''): Buffer => {
    const length = String(Buffer.byteLength(body, 'latin1'))
    const head = headOf(method, target, { host, 'content-length': length, ...headers })
    return Buffer.from(head + body, 'latin1')
  }
  const form = (body: string): Buffer =>
    request('POST', '/', { 'content-type': 'application/x-www-form-urlencoded' }, body)
  const signed = (method: string, target: string, body: string, more: Headers = {}): Buffer => {
    const { 'x-amz-content-sha256': payload = sha256(body), ...headers } = more
    const sign = signRaw({ method, target, headers: { host, ...headers }, payload, keys })
    return request(method, target, sign.headers, body)
  }
  const action = 'Version=2011-06-15&Action='
  const exchange = `${action}AssumeRoleWithWebIdentity&WebIdentityToken=`
  const forged = () =>
    idp.token(idp.claims({ policy: 'readwrite', sub: bulk(3000) }), { key: forger })
  const stranger = (): Headers => ({
    authorization:
      `AWS4-HMAC-SHA256 Credential=ASIA${word().toUpperCase()}/20260101/us-east-1/s3/aws4_request, ` +
      `SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=${word().repeat(4)}`,
    'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
    'x-amz-date': new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, ''),
    'x-amz-security-token': `dps1.${word()}.${bulk(2000)}`,
  })
  const chunked = {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': '30000',
    'x-amz-trailer': 'x-amz-checksum-crc32',
  }

  return [
    () => form(exchange + bulk(12_000)),
    () => form(exchange + forged()),
    () => form(`${exchange}${word()}&${word()}=${bulk(40_000)}`),
    () => form(bulk(60_000)),
    () => form(`${action}${bulk(100)}`),
    () => request('GET', `/?${exchange}${bulk(8000)}`, {}),
    () => request('GET', `/${word()}/${bulk(500)}`, stranger()),
    () => request('PUT', `/${bucket}/${word()}`, stranger(), bulk()),
    () => request('PUT', `/${bucket}/${word()}`, {}, bulk()),
    () =>
      request(
        'POST',
        `/${bucket}`,
        { 'content-type': `multipart/form-data; boundary=${word()}` },
        bulk(),
      ),
    () =>
      request('GET', `/${bucket}/k?X-Amz-Signature=${word()}&X-Amz-Credential=${bulk(2000)}`, {}),
    () => signed('PUT', `/${bucket}/${word()}`, bulk(), chunked),
    () => signed('PUT', `/${bucket}/${word()}`, `7530\r\n${bulk()}`, chunked),
    () => signed('PUT', `/${bucket}/${word()}`, bulk(), { 'x-amz-content-sha256': sha256('') }),
    () => signed('POST', `/${bucket}?delete=`, `<Delete>${'<a>'.repeat(8000)}`),
    () => signed('PUT', `/${bucket}?policy=`, `{"Statement":${'['.repeat(20_000)}`),
    () => signed('GET', `/${bucket}?continuation-token=${bulk(2000)}&list-type=2`, ''),
    () => signed('GET', `/${bucket}/${word()}`, ''),
    () => randomBytes(2000),
    () => Buffer.from(`GET / HTTP/1.1\r\nhost: ${host}\r\nx: ${bulk(40_000)}\r\n\r\n`),
  ]
}
