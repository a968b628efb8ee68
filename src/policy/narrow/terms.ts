import { compileConditions, holds, parseOperatorName } from '../conditions.ts'
import type { ConditionKey } from '../condition-keys.ts'
import type { ConditionEntry } from '../document.ts'
import { malformed, shown } from '../errors.ts'
import { operators } from '../operators.ts'
import { resolveVariable, type Variable } from '../template.ts'
import type { Ask } from '../ask.ts'
import type { Budget } from './budget.ts'
import { fillIn, type Reader } from './fill-in.ts'
import { isOpen, literalGlob, plainText, type Glob } from './glob.ts'
import type { Term } from './narrow-types.ts'
import { answersFor, hasManyValues, spellingOf } from './person-keys.ts'
import { meetValues, simplifyValues, valueSets, valuesWithin, type ValueSet } from './value-sets.ts'

/** A condition that is decided, or what is left to decide. */
type Outcome = boolean | Term

/**
 * What is left of a statement's conditions once the person is known: what speaks of the person is judged by the engine itself,
 * what speaks of a request stays. `undefined`: one of them fails, so the statement never matches.
 * @throws PolicyError for keys that nobody is known to answer, and for conditions on one key that cannot be joined
 */
export function readTerms(
  entries: readonly ConditionEntry[],
  variables: boolean,
  reader: Reader,
  origin: string,
  budget: Budget,
): readonly Term[] | undefined {
  const terms: Term[] = []
  for (const entry of entries) {
    const outcome = readEntry(entry, variables, reader, origin, budget)
    if (outcome === false) return undefined
    if (outcome !== true) terms.push(outcome)
  }
  return joinTerms(terms, [], origin, budget)
}

/** Both lists at once, one term for each operator and key. `undefined`: they exclude each other. */
export function joinTerms(
  some: readonly Term[],
  others: readonly Term[],
  origin: string,
  budget: Budget,
): readonly Term[] | undefined {
  const joined = new Map<string, Term>()
  const waiting = [...some, ...others]
  for (let term = waiting.pop(); term !== undefined; term = waiting.pop()) {
    const same = joined.get(term.key)
    if (same === undefined) {
      joined.set(term.key, term)
      continue
    }
    const outcome = joinTwo(same, term, origin, budget)
    joined.delete(term.key)
    if (outcome === false) return undefined
    // what two empty out may become a `Null`, which has a key of its own
    if (outcome !== true) waiting.push(outcome)
  }
  return [...joined.values()].sort((left, right) => (left.key < right.key ? -1 : 1))
}

/** The one term that says "this or that", where there is one: for rules that differ in nothing else. */
export function eitherTerm(one: Term, other: Term, budget: Budget): Term | undefined {
  const { base, quantifier } = parseOperatorName(one.operator)
  if (one.key !== other.key || quantifier === 'all' || !unitable.has(base)) return undefined
  const set = valueSets.get(base)
  return set && withValues(one, simplifyValues(set, [...one.values, ...other.values], budget))
}
const unitable: ReadonlySet<string> = new Set([
  'StringEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'IpAddress',
])

export function sameTerm(one: Term, other: Term | undefined): boolean {
  if (other === undefined || one.key !== other.key) return false
  if (one.values.length !== other.values.length) return false
  return one.values.every((value, index) => value.key === other.values[index]?.key)
}

function readEntry(
  entry: ConditionEntry,
  variables: boolean,
  reader: Reader,
  origin: string,
  budget: Budget,
): Outcome {
  const path = `${origin}.Condition.${entry.operator}.${entry.key}`
  const [condition] = compileConditions([entry], variables)
  if (condition === undefined) throw malformed(path, 'is empty')
  const { key } = condition
  const { base } = parseOperatorName(entry.operator)
  switch (answersFor(key, reader.facts)) {
    case 'unknown':
      throw malformed(path, 'nobody is known to answer for this key, so nothing can be shown')
    case 'person':
      for (const value of entry.values) refuseRequestVariables(value, base, variables, reader, path)
      return holds(condition, reader.ask)
    case 'request': {
      const values = entry.values.flatMap((value) => {
        const glob = readValue(value, base, variables, reader, path)
        return glob === undefined ? [] : [glob]
      })
      return normalTerm(entry.operator, key, values, path, budget)
    }
  }
}

/** `StringEquals(aws:username) = ${s3:prefix}` would be decided by a request that is still to come. */
function refuseRequestVariables(
  value: string,
  base: string,
  variables: boolean,
  reader: Reader,
  path: string,
): void {
  const glob = readValue(
    value,
    base.startsWith('Arn') ? 'StringLike' : base,
    variables,
    reader,
    path,
  )
  if (glob === undefined || !isOpen(glob)) return
  throw malformed(path, `compares the person with a value of the request: ${shown(value)}`)
}

function readValue(
  value: string,
  base: string,
  variables: boolean,
  reader: Reader,
  path: string,
): Glob | undefined {
  const isArn = base.startsWith('Arn')
  const wildcards = isArn || base === 'StringLike' || base === 'StringNotLike'
  if (!wildcards && !base.startsWith('String')) return literalGlob(value)
  const resolve = (variable: Variable, ask: Ask): string | undefined => {
    const text = resolveVariable(variable, ask)
    if (!isArn || text?.includes(':') !== true) return text
    throw malformed(
      path,
      `the value of ${shown(variable.name)} has a colon, which an ARN splits at`,
    )
  }
  return fillIn(value, { wildcards, variables }, reader, resolve, path)
}

/** In its one form; decided, when its values leave nothing to decide. */
function normalTerm(
  operator: string,
  condition: ConditionKey,
  values: readonly Glob[],
  path: string,
  budget: Budget,
): Outcome {
  const spelling = spellingOf(condition)
  const set = valueSets.get(parseOperatorName(operator).base)
  if (spelling === undefined || set === undefined) throw malformed(path, 'cannot be intersected')
  const term = withValues(
    { key: `${condition.canonical} ${operator}`, operator, condition, spelling, values },
    simplifyValues(set, values, budget),
  )
  if (term.values.length === 0) return withoutValues(term)
  return operator === 'Null' && term.values.length === 2 ? true : term
}

function joinTwo(one: Term, other: Term, origin: string, budget: Budget): Outcome {
  const set = valueSets.get(parseOperatorName(one.operator).base)
  const values = set && joinValues(one, other, set, budget)
  if (values === undefined) {
    const what = `${shown(one.operator)} on ${shown(one.spelling)}`
    throw malformed(origin, `two conditions ${what} cannot be joined into one`)
  }
  return values.length === 0 ? withoutValues(one) : withValues(one, values)
}

/** "Both hold" as one list of values. `undefined`: there is none, or it cannot be told. */
function joinValues(
  { operator, condition, values }: Term,
  other: Term,
  set: ValueSet,
  budget: Budget,
): readonly Glob[] | undefined {
  const { base, quantifier } = parseOperatorName(operator)
  const negated = operators.get(base)?.negated === true
  // Of several facts one may satisfy the first condition and another the second: then only the stricter one will do.
  const separate =
    hasManyValues(condition) && (negated ? quantifier === 'any' : quantifier !== 'all')
  if (separate) {
    const [strict, wide] = negated ? [other.values, values] : [values, other.values]
    if (valuesWithin(set, strict, wide, budget)) return values
    return valuesWithin(set, wide, strict, budget) ? other.values : undefined
  }
  if (negated) return simplifyValues(set, [...values, ...other.values], budget)
  return meetValues(set, values, other.values, budget)
}

/** No value can match: only whether the key is there still counts. */
function withoutValues({ operator, condition, spelling }: Term): Outcome {
  const { base, quantifier, ifExists } = parseOperatorName(operator)
  if (base === 'Null') return false
  const whenPresent = operators.get(base)?.negated === true
  const whenAbsent = ifExists || (quantifier === 'none' ? whenPresent : quantifier === 'all')
  if (whenPresent === whenAbsent) return whenPresent
  const values = [literalGlob(String(whenAbsent))]
  return { key: `${condition.canonical} Null`, operator: 'Null', condition, spelling, values }
}

function withValues(term: Term, values: readonly Glob[]): Term {
  const lower = term.operator === 'Null' || term.operator.includes('Bool')
  if (!lower) return { ...term, values }
  return { ...term, values: values.map((value) => literalGlob(plainText(value).toLowerCase())) }
}
