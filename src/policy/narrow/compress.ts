import type { Budget } from './budget.ts'
import { byKey, keepWidest, type Glob } from './glob.ts'
import { containsNames, plainNames } from './names.ts'
import type { Rule, Term } from './narrow-types.ts'
import { containsPlaces, isEverywhere, simplifyPlaces } from './places.ts'
import { eitherTerm, sameTerm } from './terms.ts'

/**
 * The same meaning in fewer statements, in an order that depends on nothing but the rules: what another one contains is dropped,
 * those that differ in one list only become one, until nothing changes.
 */
export function compressRules(rules: readonly Rule[], budget: Budget): readonly Rule[] {
  let left = withoutCovered(rules, budget)
  for (;;) {
    const united = uniteOnTerms(uniteOnPlaces(uniteOnNames(left, budget), budget), budget)
    const next = withoutCovered(united, budget)
    if (keysOf(next) === keysOf(left)) return next
    left = next
  }
}

/** Rules of several services that differ in nothing else, for a parser that takes them in one statement. */
export function mixServices(rules: readonly Rule[], budget: Budget): readonly Rule[] {
  return uniteBy(rules, joinNames(budget), ({ effect, names, places, terms }) =>
    names.except.length > 0 ? undefined : [effect, placesKey(places), termsKey(terms)],
  )
}

/** Without Allows that a Deny takes back whole, whatever the request. */
export function withoutDenied(
  allows: readonly Rule[],
  denies: readonly Rule[],
  budget: Budget,
): readonly Rule[] {
  const plain = denies.filter(({ terms }) => terms.length === 0)
  const takesBack = (deny: Rule, { service, names, places }: Rule): boolean =>
    // outside S3 a bare `*` is bound by its resource and a named action is not
    (service === 's3' || isEverywhere(deny.places)) &&
    containsNames(deny.names, names, budget) &&
    containsPlaces(deny.places, places, budget)
  return allows.filter((allow) => !plain.some((deny) => takesBack(deny, allow)))
}

/** In one order, those that ask for least first. */
export function inOrder(rules: readonly Rule[]): readonly Rule[] {
  return rules
    .map((rule) => ({ key: `${rule.terms.length} ${ruleKey(rule)}`, rule }))
    .sort(byKey)
    .map(({ rule }) => rule)
}

/** Sorted, each once, without what another rule of the same effect says as well. */
function withoutCovered(rules: readonly Rule[], budget: Budget): readonly Rule[] {
  budget.spend(20 * rules.length)
  const keyed = rules.map((rule) => ({ key: ruleKey(rule), rule }))
  return keepWidest(keyed, ({ rule: outer }, { rule: inner }) => covers(outer, inner, budget)).map(
    ({ rule }) => rule,
  )
}

function covers(outer: Rule, inner: Rule, budget: Budget): boolean {
  budget.spend(1)
  return (
    outer.effect === inner.effect &&
    outer.service === inner.service &&
    outer.terms.every((term) => inner.terms.some((other) => sameTerm(term, other))) &&
    containsPlaces(outer.places, inner.places, budget) &&
    containsNames(outer.names, inner.names, budget)
  )
}

function uniteOnNames(rules: readonly Rule[], budget: Budget): readonly Rule[] {
  return uniteBy(rules, joinNames(budget), ({ effect, service, names, places, terms }) =>
    names.except.length > 0
      ? undefined
      : [effect, service ?? '', placesKey(places), termsKey(terms)],
  )
}

function uniteOnPlaces(rules: readonly Rule[], budget: Budget): readonly Rule[] {
  const join = (one: Rule, other: Rule): Rule => {
    const globs = [...one.places.globs, ...other.places.globs]
    return { ...one, places: simplifyPlaces({ negated: false, globs }, budget) }
  }
  return uniteBy(rules, join, ({ effect, service, names, places, terms }) =>
    places.negated ? undefined : [effect, service ?? '', namesKey(names), termsKey(terms)],
  )
}

/** One condition differs, and in its values only. */
function uniteOnTerms(rules: readonly Rule[], budget: Budget): readonly Rule[] {
  const longest = Math.max(0, ...rules.map(({ terms }) => terms.length))
  let left = rules
  for (let index = 0; index < longest; index += 1) {
    const join = (one: Rule, other: Rule): Rule | undefined => {
      const [term, second] = [one.terms[index], other.terms[index]]
      const either: Term | undefined = term && second && eitherTerm(term, second, budget)
      return either && { ...one, terms: one.terms.with(index, either) }
    }
    left = uniteBy(left, join, ({ effect, service, names, places, terms }) => {
      const term = terms[index]
      if (term === undefined) return undefined
      const others = termsKey(terms.toSpliced(index, 1))
      return [effect, service ?? '', namesKey(names), placesKey(places), term.key, others]
    })
  }
  return left
}

function joinNames(budget: Budget): (one: Rule, other: Rule) => Rule {
  return (one, other) => {
    const names = plainNames([...one.names.patterns, ...other.names.patterns], budget)
    return { ...one, names, service: one.service === other.service ? one.service : undefined }
  }
}

/** Joins rules of one key, as far as they can be joined. No key: the rule stays as it is. */
function uniteBy(
  rules: readonly Rule[],
  join: (one: Rule, other: Rule) => Rule | undefined,
  keyOf: (rule: Rule) => readonly string[] | undefined,
): readonly Rule[] {
  const groups = Map.groupBy(rules, (rule) => {
    const key = keyOf(rule)
    return key === undefined ? rule : JSON.stringify(key)
  })
  return [...groups.values()].flatMap((group) => {
    const united: Rule[] = []
    for (const rule of group) {
      const last = united.pop()
      const both = last && join(last, rule)
      united.push(...(both ? [both] : last ? [last, rule] : [rule]))
    }
    return united
  })
}

function keysOf(rules: readonly Rule[]): string {
  return rules.map(ruleKey).join('\n')
}

function ruleKey({ effect, service, names, places, terms }: Rule): string {
  return JSON.stringify([
    effect,
    service ?? '',
    namesKey(names),
    placesKey(places),
    termsKey(terms),
  ])
}

function namesKey({ patterns, except }: Rule['names']): string {
  return JSON.stringify([keysOfGlobs(patterns), keysOfGlobs(except)])
}

function placesKey({ negated, globs }: Rule['places']): string {
  return JSON.stringify([negated, keysOfGlobs(globs)])
}

function termsKey(terms: readonly Term[]): string {
  return JSON.stringify(terms.map(({ key, values }) => [key, keysOfGlobs(values)]))
}

function keysOfGlobs(globs: readonly Glob[]): readonly string[] {
  return globs.map(({ key }) => key)
}
