import type { Access, Facts, PolicyPrincipal, Question } from './types.ts'

/** One access, prepared once and put to every statement. */
export type Ask = Readonly<{
  access: Access
  facts: Facts
  principal: PolicyPrincipal
  /** In lower case: action names compare without case. */
  action: string
  service: string
  /** `bucket` or `bucket/key` of an S3 resource, byte for byte; else undefined. */
  s3Path: string | undefined
  /** With `compat: minio`: a second action name, and a second path, under which statements may mean this access. */
  actionAlias: string | undefined
  s3PathAlias: string | undefined
}>

const evaluatedServices: ReadonlySet<string> = new Set(['s3', 'sts', 'iam', 'admin', 'kms'])
const s3Prefix = 'arn:aws:s3:::'

export function isEvaluatedService(service: string): boolean {
  return evaluatedServices.has(service)
}

/** `undefined`: nobody evaluates such an action, so the answer is no. */
export function prepareAsk(
  access: Access,
  { facts, principal, compat }: Pick<Question, 'facts' | 'principal' | 'compat'>,
): Ask | undefined {
  const action = access.action.toLowerCase()
  const colon = action.indexOf(':')
  const service = action.slice(0, Math.max(colon, 0))
  if (!isEvaluatedService(service) || colon === action.length - 1) return undefined
  const { resource } = access
  const s3Path = resource.startsWith(s3Prefix) ? resource.slice(s3Prefix.length) : undefined
  const likeMinio = compat === 'minio'
  return {
    access,
    facts,
    principal,
    action,
    service,
    s3Path,
    actionAlias: likeMinio ? minioAliases.get(action) : undefined,
    s3PathAlias: likeMinio && s3Path?.includes('/') === false ? `${s3Path}/` : undefined,
  }
}

const minioAliases: ReadonlyMap<string, string> = new Map([
  ['s3:getobject', 's3:getobjectversion'],
  ['s3:getobjectversion', 's3:getobject'],
  ['s3:listbucketversions', 's3:listbucket'],
  ['s3:deleteobjectversion', 's3:deleteobject'],
])
