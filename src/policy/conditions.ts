import type { Ask } from './ask.ts'
import { findConditionKey, type ConditionKey } from './condition-keys.ts'
import type { ConditionEntry } from './document.ts'
import { malformed, shown } from './errors.ts'
import { isList } from './fact.ts'
import { operators, parseBoolean, type Test } from './operators.ts'

/** One operator over one key. A statement's conditions are all ANDed; the values of one are ORed inside its test. */
export type Condition = Readonly<{
  key: ConditionKey
  quantifier: Quantifier
  negated: boolean
  /** The answer when the key is not in the context. */
  whenAbsent: boolean
  test: Test
}>
type Quantifier = 'none' | 'all' | 'any'

/** The parts of `ForAllValues:StringLikeIfExists`. */
export type OperatorName = Readonly<{ quantifier: Quantifier; base: string; ifExists: boolean }>

/** @throws PolicyError for unknown operators, keys that cannot be, values that mean nothing to the operator */
export function compileConditions(
  entries: readonly ConditionEntry[],
  variables: boolean,
): readonly Condition[] {
  const seen = new Set<string>()
  return entries.map((entry) => {
    const key = findConditionKey(entry.key)
    if (key === undefined) throw malformed(entry.path, 'is not the name of a condition key')
    // keys compare without case, so `s3:prefix` beside `S3:Prefix` is one key twice
    const once = `${entry.operator} ${key.canonical}`
    if (seen.has(once)) throw malformed(entry.path, 'is given twice')
    seen.add(once)
    return compileCondition(entry, key, variables)
  })
}

export function holds(condition: Condition, ask: Ask): boolean {
  const { test, negated } = condition
  const fact = condition.key.read(ask)
  if (fact === undefined) return condition.whenAbsent
  if (!isList(fact)) return test(fact, ask) !== negated
  if (fact.length === 0) return condition.whenAbsent
  const passes = (value: string): boolean => test(value, ask) !== negated
  if (condition.quantifier === 'all') return fact.every(passes)
  if (condition.quantifier === 'any') return fact.some(passes)
  // without a prefix: positive when any value matches, negated when none does
  return negated ? fact.every(passes) : fact.some(passes)
}

export function parseOperatorName(name: string): OperatorName {
  const quantifier = name.startsWith('ForAllValues:')
    ? 'all'
    : name.startsWith('ForAnyValue:')
      ? 'any'
      : 'none'
  const rest = quantifier === 'none' ? name : name.slice(name.indexOf(':') + 1)
  const ifExists = rest.endsWith('IfExists')
  return { quantifier, base: ifExists ? rest.slice(0, -'IfExists'.length) : rest, ifExists }
}

function compileCondition(entry: ConditionEntry, key: ConditionKey, variables: boolean): Condition {
  const { quantifier, base, ifExists } = parseOperatorName(entry.operator)
  if (base === 'Null') return compileNull(entry, key)
  const operator = operators.get(base)
  if (operator === undefined) throw malformed(entry.path, `${shown(entry.operator)} is no operator`)
  const test = operator.compile(entry.values, { variables, path: entry.path })
  if (typeof test !== 'function') {
    throw malformed(entry.path, `${shown(test.value)} is not ${test.expected}`)
  }
  const { negated } = operator
  return { key, quantifier, negated, whenAbsent: absent(quantifier, ifExists, negated), test }
}

function absent(quantifier: Quantifier, ifExists: boolean, negated: boolean): boolean {
  if (ifExists) return true
  return quantifier === 'none' ? negated : quantifier === 'all'
}

/** `Null`: `true` asks that the key is absent, `false` that it is there, be it as an empty text. */
function compileNull(entry: ConditionEntry, key: ConditionKey): Condition {
  if (entry.operator !== 'Null') throw malformed(entry.path, '"Null" takes no prefix or suffix')
  const wanted = entry.values.map((value) => {
    const parsed = parseBoolean(value)
    if (parsed === undefined) throw malformed(entry.path, `${shown(value)} is not true or false`)
    return parsed
  })
  const whenPresent = wanted.includes(false)
  return {
    key,
    quantifier: 'none',
    negated: false,
    whenAbsent: wanted.includes(true),
    test: () => whenPresent,
  }
}
