import { signatureV2 } from './authorization-header.ts'
import type { HeaderList } from './headers.ts'
import { valuesOf } from './headers.ts'
import { SigV4Error } from './sigv4-error.ts'

type Pairs = readonly (readonly [string, string])[]

/** How a request says who it is from, before anything of it is believed. */
export type Mechanism =
  | Readonly<{ kind: 'anonymous' }>
  | Readonly<{ kind: 'header'; authorization: string }>
  | Readonly<{ kind: 'query' }>

const presigned: ReadonlySet<string> = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
  'X-Amz-Expires',
  'X-Amz-Region-Set',
])
const signatureV2Names: ReadonlySet<string> = new Set(['AWSAccessKeyId', 'Signature', 'Expires'])

/** Which of them is present; two at once are refused whatever their worth. `headers` with lower-case names. */
export function findMechanism(method: string, headers: HeaderList, query: Pairs): Mechanism {
  const authorizations = valuesOf(headers, 'authorization')
  const byQuery = query.some(([name]) => presigned.has(name))
  const byQueryV2 = query.some(([name]) => signatureV2Names.has(name))
  const count = authorizations.length + Number(byQuery) + Number(byQueryV2)
  if (count > 1 || (count === 1 && isForm(method, headers, query))) throw ambiguous()
  if (byQueryV2) throw signatureV2()
  if (byQuery) return { kind: 'query' }
  const [authorization] = authorizations
  return authorization === undefined ? { kind: 'anonymous' } : { kind: 'header', authorization }
}

export function ambiguous(): SigV4Error {
  return new SigV4Error('ambiguous_authentication', 'Only one way of authentication is allowed.', {
    detail: { argumentName: 'Authorization' },
  })
}

// A browser upload carries its credentials in the form. Other POSTs have a sub-resource, or a form of another type.
function isForm(method: string, headers: HeaderList, query: Pairs): boolean {
  return (
    method === 'POST' &&
    /^multipart\/form-data(?:;|$)/i.test(valuesOf(headers, 'content-type')[0] ?? '') &&
    query.every(([name]) => name.startsWith('X-Amz-') || signatureV2Names.has(name))
  )
}
