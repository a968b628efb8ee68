import { compileArnPattern, matchesArn } from './arn-pattern.ts'
import type { Ask } from './ask.ts'
import { compareDecimals, parseDecimal, type Decimal } from './decimal.ts'
import { factText, type SingleFact } from './fact.ts'
import { parseInstant } from './instant.ts'
import { parseAddress, parseIpRange, rangeContains } from './ip-range.ts'
import { compilePattern, matchesPattern } from './pattern.ts'
import { constantText, parseTemplate, renderTemplate, type Template } from './template.ts'

/** Whether one fact passes the positive form of an operator with all its policy values. Never throws. */
export type Test = (fact: SingleFact, ask: Ask) => boolean

export type Operator = Readonly<{
  negated: boolean
  /** The compiled test; for a value that means nothing to this operator, what would have been right. */
  compile(values: readonly string[], context: ValueContext): Test | BadValue
}>
type ValueContext = Readonly<{ variables: boolean; path: string }>
type BadValue = Readonly<{ value: string; expected: string }>

type Compile = Operator['compile']

export const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ...both('StringEquals', 'StringNotEquals', compileEquals),
  ...both('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', compileEqualsIgnoreCase),
  ...both('StringLike', 'StringNotLike', compileLike),
  ...both(
    'NumericEquals',
    'NumericNotEquals',
    compileNumeric((order) => order === 0),
  ),
  positive(
    'NumericLessThan',
    compileNumeric((order) => order < 0),
  ),
  positive(
    'NumericLessThanEquals',
    compileNumeric((order) => order <= 0),
  ),
  positive(
    'NumericGreaterThan',
    compileNumeric((order) => order > 0),
  ),
  positive(
    'NumericGreaterThanEquals',
    compileNumeric((order) => order >= 0),
  ),
  ...both(
    'DateEquals',
    'DateNotEquals',
    compileDate((order) => order === 0),
  ),
  positive(
    'DateLessThan',
    compileDate((order) => order < 0),
  ),
  positive(
    'DateLessThanEquals',
    compileDate((order) => order <= 0),
  ),
  positive(
    'DateGreaterThan',
    compileDate((order) => order > 0),
  ),
  positive(
    'DateGreaterThanEquals',
    compileDate((order) => order >= 0),
  ),
  positive('Bool', compileBool),
  positive('BinaryEquals', compileBinary),
  ...both('IpAddress', 'NotIpAddress', compileIp),
  ...both('ArnEquals', 'ArnNotEquals', compileArn),
  ...both('ArnLike', 'ArnNotLike', compileArn),
])

function positive(name: string, compile: Compile): readonly [string, Operator] {
  return [name, { negated: false, compile }]
}

function both(
  name: string,
  negatedName: string,
  compile: Compile,
): readonly (readonly [string, Operator])[] {
  return [positive(name, compile), [negatedName, { negated: true, compile }]]
}

function compileEquals(values: readonly string[], context: ValueContext): Test {
  return compileTexts(values, context, (text) => text)
}

function compileEqualsIgnoreCase(values: readonly string[], context: ValueContext): Test {
  return compileTexts(values, context, (text) => text.toLowerCase())
}

function compileTexts(
  values: readonly string[],
  { variables, path }: ValueContext,
  fold: (text: string) => string,
): Test {
  const templates = values.map((value) =>
    parseTemplate(value, { wildcards: false, variables }, path),
  )
  const constants = new Set(templates.map(constantText).map((text) => text && fold(text)))
  const open = templates.filter((template) => constantText(template) === undefined)
  constants.delete(undefined)
  return (fact, ask) => {
    const text = typeof fact === 'string' ? fact : factText(fact)
    if (text === undefined) return false
    const folded = fold(text)
    if (constants.has(folded)) return true
    for (const template of open) {
      const filled = renderTemplate(template, ask)
      if (filled !== undefined && fold(filled) === folded) return true
    }
    return false
  }
}

function compileLike(values: readonly string[], { variables, path }: ValueContext): Test {
  const patterns = values.map((value) =>
    compilePattern(parseTemplate(value, { wildcards: true, variables }, path)),
  )
  return (fact, ask) => {
    const text = typeof fact === 'string' ? fact : factText(fact)
    if (text === undefined) return false
    for (const pattern of patterns) if (matchesPattern(pattern, text, ask)) return true
    return false
  }
}

function compileNumeric(accepts: (order: number) => boolean): Compile {
  return (values) => {
    const limits = parseAll(values, parseDecimal, 'a decimal number')
    if (!Array.isArray(limits)) return limits
    return (fact) => {
      if (typeof fact === 'number' && Number.isSafeInteger(fact)) {
        return limits.some((limit) => accepts(compareSmall(fact, limit)))
      }
      const number = decimalOf(fact)
      return number !== undefined && limits.some((limit) => accepts(compareDecimals(number, limit)))
    }
  }
}

/** The common case without a BigInt. The sign of a difference of whole doubles below 2^53 is exact. */
function compareSmall(fact: number, limit: Decimal): number {
  if (limit.small !== undefined) return fact - limit.small
  return compareDecimals({ units: BigInt(fact), scale: 0, small: fact }, limit)
}

function decimalOf(fact: SingleFact): Decimal | undefined {
  const text = factText(fact)
  return text === undefined ? undefined : parseDecimal(text)
}

function compileDate(accepts: (order: number) => boolean): Compile {
  return (values) => {
    const limits = parseAll(values, parseInstant, 'an ISO 8601 instant or epoch seconds')
    if (!Array.isArray(limits)) return limits
    return (fact) => {
      const instant = instantOf(fact)
      return instant !== undefined && limits.some((limit) => accepts(instant - limit))
    }
  }
}

function instantOf(fact: SingleFact): number | undefined {
  if (fact instanceof Date) return Number.isNaN(fact.getTime()) ? undefined : fact.getTime()
  const text = factText(fact)
  return text === undefined ? undefined : parseInstant(text)
}

function compileBool(values: readonly string[]): Test | BadValue {
  const wanted = parseAll(values, parseBoolean, 'true or false')
  if (!Array.isArray(wanted)) return wanted
  return (fact) => {
    if (typeof fact === 'boolean') return wanted.includes(fact)
    const parsed = typeof fact === 'string' ? parseBoolean(fact) : undefined
    return parsed !== undefined && wanted.includes(parsed)
  }
}

export function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

/** The policy holds base64; the fact's own bytes are those of its UTF-8 text. */
function compileBinary(values: readonly string[]): Test | BadValue {
  const wanted = parseAll(values, parseBase64, 'padded base64')
  if (!Array.isArray(wanted)) return wanted
  return (fact) => {
    const text = factText(fact)
    return text !== undefined && wanted.some((bytes) => bytes.equals(Buffer.from(text, 'utf8')))
  }
}

function parseBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

function compileIp(values: readonly string[]): Test | BadValue {
  const ranges = parseAll(values, parseIpRange, 'an IP address or a CIDR block')
  if (!Array.isArray(ranges)) return ranges
  return (fact) => {
    const address = typeof fact === 'string' ? parseAddress(fact) : undefined
    if (address === undefined) return false
    for (const range of ranges) if (rangeContains(range, address)) return true
    return false
  }
}

function compileArn(values: readonly string[], { variables, path }: ValueContext): Test | BadValue {
  const parse = (value: string): ReturnType<typeof compileArnPattern> => {
    const template: Template = parseTemplate(value, { wildcards: true, variables }, path)
    return compileArnPattern(template)
  }
  const arns = parseAll(values, parse, 'an ARN of six parts')
  if (!Array.isArray(arns)) return arns
  return (fact, ask) =>
    typeof fact === 'string' && arns.some((pattern) => matchesArn(pattern, fact, ask))
}

function parseAll<Parsed>(
  values: readonly string[],
  parse: (value: string) => Parsed | undefined,
  expected: string,
): Parsed[] | BadValue {
  const parsed: Parsed[] = []
  for (const value of values) {
    const one = parse(value)
    if (one === undefined) return { value, expected }
    parsed.push(one)
  }
  return parsed
}
