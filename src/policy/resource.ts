import { compileArnPattern, matchesArn, type ArnPattern } from './arn-pattern.ts'
import type { Ask } from './ask.ts'
import type { Listed } from './document.ts'
import { malformed, shown } from './errors.ts'
import { factText, isList } from './fact.ts'
import {
  compilePattern,
  matchesEverything,
  matchesPattern,
  type Pattern,
  type Resolve,
} from './pattern.ts'
import {
  parseTemplate,
  resolveVariable,
  variablesOf,
  type Template,
  type Variable,
} from './template.ts'

export type ResourceMatcher = Readonly<{
  negated: boolean
  /** A bare `*`. */
  everything: boolean
  /** `arn:aws:s3:::*`: besides all buckets and objects it covers S3 calls on the account. */
  everyS3: boolean
  /** Of S3 ARNs what follows the fifth colon: `bucket` or `bucket/key`. */
  s3: readonly Pattern[]
  /** ARNs of other services. */
  others: readonly ArnPattern[]
  variables: readonly Variable[]
}>

/** @throws PolicyError for what is neither `*` nor an ARN, and for S3 ARNs with region, account or no bucket */
export function compileResources(listed: Listed, variables: boolean): ResourceMatcher {
  const named = listed.values.filter((value) => value !== '*')
  const compiled = named.map((value) => compileResource(value, variables, listed.path))
  return {
    negated: listed.negated,
    everything: named.length < listed.values.length,
    everyS3: compiled.some(({ s3 }) => s3 !== undefined && matchesEverything(s3)),
    s3: compiled.flatMap(({ s3 }) => s3 ?? []),
    others: compiled.flatMap(({ other }) => (other === undefined ? [] : [other])),
    variables: compiled.flatMap(({ template }) => variablesOf(template)),
  }
}

/**
 * Whether a statement speaks of this resource. Where a variable has no usable value, the statement errs to the careful
 * side: the entry matches nothing, and an Allow with NotResource, which it would widen, does not match at all.
 */
export function matchesResources(
  matcher: ResourceMatcher,
  ask: Ask,
  effect: 'Allow' | 'Deny',
): boolean {
  if (!matcher.negated) return matchesEntry(matcher, ask, effect)
  if (effect === 'Allow' && !isDecidable(matcher, ask)) return false
  return !matchesEntry(matcher, ask, effect)
}

function matchesEntry(matcher: ResourceMatcher, ask: Ask, effect: 'Allow' | 'Deny'): boolean {
  if (matcher.everything) return true
  // A Deny is not narrowed by strange values: with `sub` = "a/b" it bites below "a/b", exactly as it is written.
  const resolve = effect === 'Deny' && !matcher.negated ? resolveVariable : resolvePathPart
  if (ask.service === 's3') {
    if (ask.s3Path === undefined) return ask.access.resource === '*' && matcher.everyS3
    if (matchesS3(matcher, ask.s3Path, ask, resolve)) return true
    return ask.s3PathAlias !== undefined && matchesS3(matcher, ask.s3PathAlias, ask, resolve)
  }
  return matcher.others.some((arn) => matchesArn(arn, ask.access.resource, ask, resolve))
}

function matchesS3(matcher: ResourceMatcher, path: string, ask: Ask, resolve: Resolve): boolean {
  for (const pattern of matcher.s3) if (matchesPattern(pattern, path, ask, resolve)) return true
  return false
}

function isDecidable(matcher: ResourceMatcher, ask: Ask): boolean {
  return matcher.variables.every((variable) => resolvePathPart(variable, ask) !== undefined)
}

/**
 * A value inside a resource must stay one part of the path. Providers let people choose their `preferred_username`:
 * "bob/../alice" or "" would open the folders of others. The default in the policy is its author's own text.
 */
export function resolvePathPart(variable: Variable, ask: Ask): string | undefined {
  const fact = variable.key.read(ask)
  if (fact === undefined) return variable.fallback
  if (isList(fact)) return resolveVariable(variable, ask)
  const text = factText(fact)
  return text !== undefined && isPathPart(text) ? text : undefined
}

function isPathPart(text: string): boolean {
  if (text === '' || text === '.' || text === '..') return false
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === slash || code < 0x20 || (code >= 0x7f && code < 0xa0)) return false
  }
  return true
}
const slash = 0x2f

type Compiled = Readonly<{
  template: Template
  s3?: Pattern
  other?: ArnPattern
}>

function compileResource(value: string, variables: boolean, path: string): Compiled {
  const text = withPlainPartition(value)
  const [arn, partition, service, region, account, ...rest] = text.split(':')
  if (arn !== 'arn' || rest.length === 0 || !isPlain(partition) || !isPlain(service)) {
    throw malformed(path, `${shown(value)} is neither "*" nor an ARN`)
  }
  if (service === 's3') {
    if (partition !== 'aws') throw malformed(path, `${shown(value)} has an unknown partition`)
    if (region !== '' || account !== '') {
      throw malformed(path, `${shown(value)}: an S3 ARN has no region and no account`)
    }
    return compileS3Resource(value, rest.join(':'), variables, path)
  }
  const template = parseTemplate(text, { wildcards: true, variables }, path)
  const other = compileArnPattern(template)
  if (other === undefined) throw malformed(path, `${shown(value)} is not an ARN of six parts`)
  return { template, other }
}

function compileS3Resource(
  value: string,
  text: string,
  variables: boolean,
  path: string,
): Compiled {
  if (text === '' || text.startsWith('/')) throw malformed(path, `${shown(value)} names no bucket`)
  const template = parseTemplate(text, { wildcards: true, variables }, path)
  return { template, s3: compilePattern(template) }
}

/** `aws-cn` and `aws-us-gov` are read as `aws`. */
export function withPlainPartition(arn: string): string {
  return arn.replace(/^arn:aws-(?:cn|us-gov):/, 'arn:aws:')
}

function isPlain(part: string | undefined): boolean {
  return part !== undefined && /^[a-z0-9-]+$/.test(part)
}
