import { header } from '../http.ts'
import type { HttpRequest } from '../http.ts'

const formType = 'application/x-www-form-urlencoded'

/**
 * A form that is posted, or a query with `Action`, by POST or GET. The AWS SDKs post forms; presigned calls and some of
 * MinIO's clients put everything in the query (AWS STS API reference, Making Query Requests).
 */
export function accepts(request: Pick<HttpRequest, 'method' | 'query' | 'headers'>): boolean {
  if (request.method !== 'POST' && request.method !== 'GET') return false
  return /(?:^|&)Action=/.test(request.query) || (request.method === 'POST' && hasForm(request))
}

/** Media types know no case; what follows the type, such as a charset, does not matter. */
export function hasForm(request: Pick<HttpRequest, 'headers'>): boolean {
  const type = header(request, 'content-type')
  return type !== undefined && type.trimStart().toLowerCase().startsWith(formType)
}
