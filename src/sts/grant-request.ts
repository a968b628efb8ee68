import { header } from '../http.ts'
import type { HttpRequest } from '../http.ts'
import type { GrantRequest, IssueAction } from '../grants/index.ts'
import { readList, readPairs } from './lists.ts'
import type { Parameters } from './parameters.ts'
import { StsError } from './sts-error.ts'

/** The wishes in a call, as domain values. Throws an StsError for what cannot even be read as such. */
export function readGrantRequest(
  action: IssueAction,
  parameters: Parameters,
  request: HttpRequest,
): GrantRequest {
  return {
    action,
    roleArn: parameters.get('RoleArn'),
    roleSessionName: parameters.get('RoleSessionName'),
    durationSeconds: readDuration(parameters.get('DurationSeconds')),
    sessionPolicy: parameters.get('Policy'),
    policyArns: readList(parameters, 'PolicyArns', 'arn'),
    ...(byToken.has(action) ? {} : readSelfDescription(parameters)),
    client: clientOf(request),
  }
}

/** Whoever comes with a token is described by the token: parameters beside it add nothing. */
const byToken: ReadonlySet<IssueAction> = new Set<IssueAction>([
  'sts:AssumeRoleWithWebIdentity',
  'sts:AssumeRoleWithClientGrants',
])

function readSelfDescription(
  parameters: Parameters,
): Pick<GrantRequest, 'tags' | 'transitiveTagKeys' | 'externalId' | 'sourceIdentity'> {
  return {
    tags: readPairs(parameters, 'Tags', 'Key', 'Value'),
    transitiveTagKeys: readList(parameters, 'TransitiveTagKeys'),
    externalId: readExternalId(parameters.get('ExternalId')),
    sourceIdentity: parameters.get('SourceIdentity'),
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

/** AWS STS API reference, AssumeRole. */
function readExternalId(text: string | undefined): string | undefined {
  if (text === undefined || /^[\w+=,.@:/-]{2,1224}$/.test(text)) return text
  throw new StsError(
    'invalid_value',
    'ExternalId has 2 to 1224 letters, digits or characters of _+=,.@:/-',
  )
}
