import { Secret } from '../secret.ts'
import type { HeaderList } from './headers.ts'
import { valuesOf } from './headers.ts'
import type { Mechanism } from './mechanism.ts'
import { ambiguous } from './mechanism.ts'
import { SigV4Error } from './sigv4-error.ts'

/** The one session token of a request; an empty one is none. Not yet opened, nor shown to be signed. */
export function findSessionToken(
  kind: Mechanism['kind'],
  headers: HeaderList,
  query: readonly (readonly [string, string])[],
): Secret | undefined {
  const inHeader = valuesOf(headers, 'x-amz-security-token').filter((value) => value !== '')
  const inQuery = query
    .filter(([name, value]) => name === 'X-Amz-Security-Token' && value !== '')
    .map(([, value]) => value)
  const [token, ...more] = [...inHeader, ...inQuery]
  if (more.length > 0) {
    throw new SigV4Error('duplicate_token', 'More than one session token was sent.')
  }
  if (token === undefined) return undefined
  if (kind === 'anonymous') {
    throw new SigV4Error('token_without_signature', 'A session token needs a signed request.')
  }
  if (kind === 'header' && inQuery.length > 0) throw ambiguous()
  return new Secret(token)
}
