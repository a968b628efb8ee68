import { IdentityError } from '../identity-error.ts'

/** RFC 1123, label: what a namespace is called. */
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
/** RFC 1123, subdomain: what a service account is called. */
const subdomain = `${label}(?:\\.${label})*`
const username = new RegExp(`^system:serviceaccount:(${label}):(${subdomain})$`)

export type ServiceAccountName = Readonly<{ namespace: string; name: string }>

/**
 * `system:serviceaccount:NAMESPACE:NAME`, and nothing that merely looks like it: a user called `shop:web`, or one with a
 * further colon, is no service account.
 * @throws {IdentityError} `token_claims`
 */
export function parseServiceAccount(text: unknown): ServiceAccountName {
  const match = typeof text === 'string' && text.length <= 400 ? username.exec(text) : null
  const [, namespace, name] = match ?? []
  if (namespace !== undefined && name !== undefined && name.length <= 253)
    return { namespace, name }
  throw new IdentityError('token_claims', 'The token is not that of a service account')
}
