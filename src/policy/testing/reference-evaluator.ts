import { BlockList, isIPv4, isIPv6 } from 'node:net'
import type { PolicyPrincipal } from '../types.ts'
import type { FlatContext } from './facts-from-context.ts'

/**
 * A second reading of the rules, slow and plain, that shares no code with the engine: it works on raw documents and flat
 * contexts, builds nothing beforehand and asks every statement. The property tests hold the engine against it.
 */
export type RawStatement = Readonly<{
  Effect: 'Allow' | 'Deny'
  Action?: readonly string[]
  NotAction?: readonly string[]
  Resource?: readonly string[]
  NotResource?: readonly string[]
  Principal?: '*' | Readonly<{ AWS: readonly string[] }>
  NotPrincipal?: Readonly<{ AWS: readonly string[] }>
  Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}>
export type RawDocument = Readonly<{ Version: string; Statement: readonly RawStatement[] }>
export type RawQuestion = Readonly<{
  principal: PolicyPrincipal
  action: string
  resource: string
  context: FlatContext
  identity: readonly RawDocument[]
  ceilings: readonly (readonly RawDocument[])[]
  bucket?: RawDocument
}>

export function referenceAllows(question: RawQuestion): boolean {
  const { principal, identity, ceilings } = question
  const bucket = question.bucket && principal.kind !== 'root' ? [question.bucket] : []
  const says = (documents: readonly RawDocument[], effect: 'Allow' | 'Deny'): boolean =>
    documents.some((document) =>
      document.Statement.some(
        (statement) => statement.Effect === effect && matches(statement, document, question),
      ),
    )
  if ([identity, bucket, ...ceilings].some((layer) => says(layer, 'Deny'))) return false
  if (!ceilings.every((layer) => says(layer, 'Allow'))) return false
  if (principal.kind.startsWith('root')) return true
  return says(bucket, 'Allow') || (principal.kind !== 'anonymous' && says(identity, 'Allow'))
}

function matches(statement: RawStatement, document: RawDocument, question: RawQuestion): boolean {
  return (
    matchesAction(statement, question) &&
    matchesResource(statement, document, question) &&
    matchesPrincipal(statement, question) &&
    Object.entries(statement.Condition ?? {}).every(([operator, keys]) =>
      Object.entries(keys).every(([key, values]) =>
        conditionHolds(operator, key, values, document, question.context),
      ),
    )
  )
}

function matchesAction({ Action, NotAction }: RawStatement, { action }: RawQuestion): boolean {
  if (Action) return Action.some((value) => like(value.toLowerCase(), action.toLowerCase()))
  return !NotAction?.some((value) => like(value.toLowerCase(), action.toLowerCase()))
}

function matchesResource(
  statement: RawStatement,
  document: RawDocument,
  question: RawQuestion,
): boolean {
  const { Action, Resource, NotResource, Effect } = statement
  if (NotResource) {
    const tokens = NotResource.map((value) => tokensOf(value, document, question.context, true))
    if (Effect === 'Allow' && tokens.includes(undefined)) return false
    return !tokens.some((one) => one && covers(one, question))
  }
  const service = question.action.split(':')[0]
  const named = Action?.some(
    (value) => value !== '*' && like(value.toLowerCase(), question.action.toLowerCase()),
  )
  if (named && (service === 'admin' || (service === 'sts' && question.resource === '*')))
    return true
  const careful = Effect === 'Allow'
  return (
    Resource?.some((value) => {
      const tokens = tokensOf(value, document, question.context, careful)
      return tokens !== undefined && covers(tokens, question)
    }) ?? true
  )
}

function covers(tokens: readonly Token[], { action, resource }: RawQuestion): boolean {
  const text = tokens.map((token) => (typeof token === 'string' ? token : token.literal)).join('')
  if (text === '*') return true
  if (!action.toLowerCase().startsWith('s3:')) return false
  if (resource === '*') return text === 'arn:aws:s3:::*'
  return likeTokens(tokens, Array.from(resource))
}

function matchesPrincipal(statement: RawStatement, { principal }: RawQuestion): boolean {
  const { Principal, NotPrincipal, Effect } = statement
  if (Principal === undefined && NotPrincipal === undefined) return true
  if (Principal === '*') return true
  const listed = (Principal ?? NotPrincipal)?.AWS ?? []
  const is = listed.some((value) => {
    if (value === '*') return true
    if (/^\d+$/.test(value) || value.endsWith(':root')) {
      const account = value.replace(/\D/g, '')
      return Effect === 'Deny' && 'account' in principal && principal.account === account
    }
    return (
      ('arn' in principal && principal.arn === value) ||
      ('roleArn' in principal && principal.roleArn === value)
    )
  })
  return Principal ? is : !is
}

function conditionHolds(
  operator: string,
  key: string,
  values: readonly string[],
  document: RawDocument,
  context: FlatContext,
): boolean {
  const found = lookUp(key, context)
  const facts = found === undefined ? [] : typeof found === 'string' ? [found] : found
  if (operator === 'Null') return values.includes(facts.length === 0 ? 'true' : 'false')
  const [, prefix, name = '', ifExists] =
    /^(ForAllValues:|ForAnyValue:)?(\w+?)(IfExists)?$/.exec(operator) ?? []
  const negated = /Not/.test(name)
  const positive = name.replace('Not', '').replace(/^IpAddress$|^$/, 'IpAddress')
  const test = (fact: string): boolean =>
    values.some((value) => compare(positive, fact, value, document, context))
  if (facts.length === 0 && ifExists) return true
  if (prefix === 'ForAllValues:') return facts.every((fact) => test(fact) !== negated)
  if (prefix === 'ForAnyValue:') return facts.some((fact) => test(fact) !== negated)
  return facts.some(test) !== negated
}

function compare(
  operator: string,
  fact: string,
  value: string,
  document: RawDocument,
  context: FlatContext,
): boolean {
  const filled = tokensOf(value, document, context, false)
  const text = filled?.map((token) => (typeof token === 'string' ? token : token.literal)).join('')
  switch (operator) {
    case 'StringEquals':
      return text === fact
    case 'StringEqualsIgnoreCase':
      return text?.toLowerCase() === fact.toLowerCase()
    case 'StringLike':
      return filled !== undefined && likeTokens(filled, Array.from(fact))
    case 'Bool':
      return fact.toLowerCase() === value.toLowerCase()
    case 'IpAddress':
      return inRange(fact, value)
    default:
      return compareOrder(operator, fact, value)
  }
}

function compareOrder(operator: string, fact: string, value: string): boolean {
  const read = operator.startsWith('Date') ? readInstant : readNumber
  const [left, right] = [read(fact), read(value)]
  const relation = operator.replace(/^Date|^Numeric/, '')
  if (relation === 'Equals') return left === right
  if (relation === 'LessThan') return left < right
  if (relation === 'LessThanEquals') return left <= right
  if (relation === 'GreaterThan') return left > right
  return left >= right
}

function readNumber(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
}

function readInstant(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text)
}

function inRange(fact: string, value: string): boolean {
  const address = fact.replace('::ffff:', '')
  const [base = '', length] = value.split('/')
  const list = new BlockList()
  const family = isIPv4(base) ? 'ipv4' : 'ipv6'
  list.addSubnet(base, Number(length ?? (family === 'ipv4' ? 32 : 128)), family)
  if (isIPv4(address)) return family === 'ipv4' && list.check(address, 'ipv4')
  return isIPv6(address) && family === 'ipv6' && list.check(address, 'ipv6')
}

function lookUp(key: string, context: FlatContext): string | readonly string[] | undefined {
  const found = Object.entries(context).find(([name]) => sameKey(name, key))
  return found?.[1]
}

function sameKey(left: string, right: string): boolean {
  const [leftName = '', ...leftTag] = left.split('/')
  const [rightName = '', ...rightTag] = right.split('/')
  return (
    leftName.toLowerCase() === rightName.toLowerCase() && leftTag.join('/') === rightTag.join('/')
  )
}

type Token = '*' | '?' | Readonly<{ literal: string }>

/** One token a character; `undefined` when a variable has no value, or none that may stand in a resource. */
function tokensOf(
  text: string,
  document: RawDocument,
  context: FlatContext,
  careful: boolean,
): readonly Token[] | undefined {
  const tokens: Token[] = []
  const pattern = /\$\{([*?$])\}|\$\{([^},]+)(?:, *'([^']*)')?\}|([^])/gu
  for (const [whole, escaped, key, fallback, plain] of text.matchAll(pattern)) {
    if (document.Version !== '2012-10-17' && plain === undefined) {
      for (const character of whole) tokens.push(plainToken(character))
    } else if (plain !== undefined) {
      tokens.push(plainToken(plain))
    } else if (escaped !== undefined) {
      tokens.push({ literal: escaped })
    } else {
      const value = lookUp(key ?? '', context)
      const filled = value ?? fallback
      if (filled === undefined || typeof filled !== 'string') return undefined
      if (value !== undefined && careful && /^$|^\.\.?$|[/\p{Cc}]/u.test(filled)) return undefined
      for (const character of filled) tokens.push({ literal: character })
    }
  }
  return tokens
}

function plainToken(character: string): Token {
  return character === '*' || character === '?' ? character : { literal: character }
}

function like(pattern: string, text: string): boolean {
  return likeTokens(Array.from(pattern, plainToken), Array.from(text))
}

/** The definition of the wildcards, written down. */
function likeTokens(tokens: readonly Token[], text: readonly string[]): boolean {
  const [token, ...rest] = tokens
  if (token === undefined) return text.length === 0
  if (token === '*') {
    return likeTokens(rest, text) || (text.length > 0 && likeTokens(tokens, text.slice(1)))
  }
  const [first, ...others] = text
  if (first === undefined) return false
  return (token === '?' || token.literal === first) && likeTokens(rest, others)
}

/** The naive matcher over a pattern as people write it. */
export function referenceLike(pattern: string, text: string): boolean {
  return like(pattern, text)
}
