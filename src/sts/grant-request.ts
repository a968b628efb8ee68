import { header } from '../http.ts'
import type { HttpRequest } from '../http.ts'
import type { GrantRequest, IssueAction } from '../grants/index.ts'
import type { Parameters } from './parameters.ts'
import { StsError } from './sts-error.ts'

/** The wishes in a call, as domain values. Throws an StsError for what cannot even be read as such. */
export function readGrantRequest(
  action: IssueAction,
  parameters: Parameters,
  request: HttpRequest,
): GrantRequest {
  refusePolicyArns(parameters)
  return {
    action,
    roleArn: parameters.get('RoleArn'),
    roleSessionName: parameters.get('RoleSessionName'),
    durationSeconds: readDuration(parameters.get('DurationSeconds')),
    sessionPolicy: parameters.get('Policy'),
    client: clientOf(request),
  }
}

/** Who asks from where; of the headers only the user agent, cut to what a log line bears. */
export function clientOf(request: HttpRequest): GrantRequest['client'] {
  const userAgent = header(request, 'user-agent')?.slice(0, 256)
  return { source: request.source, secure: request.secure, userAgent }
}

function readDuration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[0-9]{1,10}$/.test(text)) return Number(text)
  throw new StsError('invalid_value', 'DurationSeconds must be a whole number of seconds')
}

/**
 * Managed session policies narrow a session. Whoever sends them must not believe in a restriction that is not there,
 * so they are refused until they are heeded; other parameters that we do not know add nothing and are passed over.
 */
function refusePolicyArns(parameters: Parameters): void {
  if (!parameters.names().some((name) => /^PolicyArns(?:\.|$)/.test(name))) return
  throw new StsError('unsupported_parameter', 'PolicyArns is not supported; send a Policy instead')
}
