import { SigV4Error } from './sigv4-error.ts'
import type { Scope, SigV4ErrorCode } from './types.ts'

/** Where a signature stands; each place has its own code for what is malformed. */
export type Place = 'header' | 'query' | 'form'

const visible = /^[!-~]{1,128}$/
const date = /^\d{8}$/

/**
 * `accessKeyId/yyyymmdd/region/service/aws4_request`. Access key ids may hold slashes, so it is cut from the right.
 * Throws the place's malformed code.
 *
 * @param emptyRegion the region may be left empty, as clients of MinIO's administration do it
 */
export function parseCredential(
  text: string,
  place: Place = 'form',
  emptyRegion = false,
): Readonly<{ accessKeyId: string; scope: Scope }> {
  const parts = text.split('/')
  const [day = '', region = '', service = '', terminal = ''] = parts.slice(-4)
  const accessKeyId = parts.slice(0, -4).join('/')
  const named =
    emptyRegion && region === '' ? [accessKeyId, service] : [accessKeyId, region, service]
  if (!named.every((part) => visible.test(part))) {
    throw malformed(
      place,
      'The credential is not accessKeyId/yyyymmdd/region/service/aws4_request.',
    )
  }
  if (terminal !== 'aws4_request') {
    throw malformed(place, 'The credential scope does not end in aws4_request.')
  }
  if (!date.test(day)) throw malformed(place, 'The credential scope has no yyyymmdd date.')
  return { accessKeyId, scope: { date: day, region, service } }
}

export function scopeText(scope: Scope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`
}

const malformedCodes = {
  header: 'malformed_authorization_header',
  query: 'malformed_authorization_query',
  form: 'malformed_form_authentication',
} as const satisfies Record<Place, SigV4ErrorCode>

export function malformed(
  place: Place,
  message: string,
  argumentName = 'x-amz-credential',
): SigV4Error {
  const detail = place === 'form' ? { argumentName } : {}
  return new SigV4Error(malformedCodes[place], message, { detail })
}
