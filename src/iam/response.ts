import { Refusal } from '../errors.ts'
import { header } from '../http.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { toJson } from './json.ts'
import type { Members } from './value.ts'
import { wireErrorOf } from './wire-errors.ts'
import type { WireError } from './wire-errors.ts'
import { toXml } from './xml.ts'

const namespace = 'https://iam.amazonaws.com/doc/2010-05-08/'

type Asker = Pick<HttpRequest, 'id' | 'headers'>

/** `<CreateUserResponse><CreateUserResult>…`; the result element is left out when there is nothing to say. */
export function answer(request: Asker, action: string, result: Members): HttpResponse {
  return respond(request, 200, `${action}Response`, {
    [`${action}Result`]: Object.keys(result).length === 0 ? undefined : result,
    ResponseMetadata: { RequestId: request.id },
  })
}

/** @returns `undefined` for what is no refusal that may be told outside. */
export function refusal(request: Asker, error: unknown): HttpResponse | undefined {
  if (!(error instanceof Refusal)) return undefined
  const wire = wireErrorOf(error.code)
  if (!wire) return undefined
  const { decisionId, encodedMessage } = error.detail
  const encoded = typeof encodedMessage === 'string' ? encodedMessage : undefined
  return errorResponse(request, wire, message(error.message, encoded), {
    DecisionId: typeof decisionId === 'string' ? decisionId : undefined,
    EncodedMessage: encoded,
  })
}

/** Nothing about a fault of ours leaves the house. */
export function fault(request: Asker): HttpResponse {
  const wire = { status: 500, code: 'ServiceFailure' }
  return errorResponse(request, wire, 'The request failed because of a fault of this server', {})
}

/** The message is all that most clients show, so the encoded message stands in it, as EC2 does it. */
function message(text: string, encoded: string | undefined): string {
  return encoded === undefined ? text : `${text} Encoded authorization failure message: ${encoded}`
}

function errorResponse(
  request: Asker,
  { status, code }: WireError,
  text: string,
  more: Members,
): HttpResponse {
  const Type = status < 500 ? 'Sender' : 'Receiver'
  const response = respond(request, status, 'ErrorResponse', {
    Error: { Type, Code: code, Message: text, ...more },
    RequestId: request.id,
  })
  if (status !== 503) return response
  return { ...response, headers: { ...response.headers, 'retry-after': '1' } }
}

function respond(request: Asker, status: number, root: string, members: Members): HttpResponse {
  const json = wantsJson(request)
  return {
    status,
    headers: {
      'content-type': json ? 'application/json' : 'text/xml; charset=utf-8',
      'cache-control': 'no-store',
      'x-amzn-requestid': request.id,
    },
    body: json
      ? toJson(root === 'ErrorResponse' ? members : { [root]: members })
      : `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${toXml(members)}</${root}>`,
  }
}

function wantsJson(request: Asker): boolean {
  const media = header(request, 'accept')?.split(/[,;]/, 1)[0]
  return media?.trim().toLowerCase() === 'application/json'
}
