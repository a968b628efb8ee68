import { malformed } from './credential.ts'
import { SigV4Error } from './sigv4-error.ts'

/** The three parts that header and query share, as text. */
export type SignatureParts = Readonly<{
  credential: string
  signedHeaders: string
  signature: string
}>

const scheme = /^AWS4-HMAC-SHA256[ \t]+/

/** `Credential=…, SignedHeaders=…, Signature=…` in any order, each exactly once and nothing else. */
export function parseAuthorization(value: string): SignatureParts {
  refuseOtherSchemes(value)
  const introduction = scheme.exec(value)?.[0]
  if (introduction === undefined) throw malformedHeader()
  const parts = new Map<string, string>()
  for (const part of value.slice(introduction.length).split(',')) {
    const [, name, text] =
      /^[ \t]*(Credential|SignedHeaders|Signature)=([!-~]+)[ \t]*$/.exec(part) ?? []
    if (name === undefined || text === undefined || parts.has(name)) throw malformedHeader()
    parts.set(name, text)
  }
  const credential = parts.get('Credential')
  const signedHeaders = parts.get('SignedHeaders')
  const signature = parts.get('Signature')
  if (!credential || !signedHeaders || !signature) throw malformedHeader()
  return { credential, signedHeaders, signature }
}

function refuseOtherSchemes(value: string): void {
  if (value.startsWith('AWS4-HMAC-SHA256')) return
  if (value.startsWith('AWS4-ECDSA-P256-SHA256')) throw signatureV4a()
  if (value.startsWith('AWS ')) throw signatureV2()
  throw new SigV4Error('unknown_scheme', 'The authorization scheme must be AWS4-HMAC-SHA256.', {
    detail: { argumentName: 'Authorization' },
  })
}

export function signatureV2(): SigV4Error {
  return new SigV4Error(
    'signature_v2',
    'Signature version 2 is not accepted. Please sign with AWS4-HMAC-SHA256.',
  )
}

export function signatureV4a(): SigV4Error {
  return new SigV4Error(
    'signature_v4a',
    'AWS4-ECDSA-P256-SHA256 is not implemented. Please sign with AWS4-HMAC-SHA256.',
  )
}

function malformedHeader(): SigV4Error {
  return malformed(
    'header',
    'The authorization header must be AWS4-HMAC-SHA256 with Credential, SignedHeaders and Signature.',
  )
}
