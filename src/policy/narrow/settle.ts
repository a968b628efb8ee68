import { malformed, shown } from '../errors.ts'
import { spelledActions } from '../known-actions.ts'
import { anyRun } from '../wildcard.ts'
import { absorbFences } from './absorb.ts'
import type { Budget } from './budget.ts'
import { compressRules, mixServices, withoutDenied } from './compress.ts'
import { codesOfText, containsGlob, globOf, literalGlob } from './glob.ts'
import {
  assertMinioRule,
  minioS3Actions,
  ownAccountActions,
  refuseImplied,
} from './minio-dialect.ts'
import { plainNames, writtenOut } from './names.ts'
import type { NarrowDialect, Rule } from './narrow-types.ts'
import { everywhere } from './places.ts'
import type { Speller } from './spell.ts'

export type Rules = Readonly<{ allows: readonly Rule[]; denies: readonly Rule[] }>

/** Actions that are known by name, as each target spells them. */
export const knownActions: Readonly<Record<NarrowDialect, readonly string[]>> = {
  minio: minioS3Actions,
  aws: spelledActions,
}

/**
 * The rules in words that the target has, and as few as possible. Where nothing is allowed: a Deny of everything.
 * @throws PolicyError for what the target has no words for
 */
export function settle(
  { allows, denies }: Rules,
  dialect: NarrowDialect,
  speller: Speller,
  budget: Budget,
): readonly Rule[] {
  const rules = { allows: allows.map((rule) => writeOut(rule, dialect, budget)), denies }
  return dialect === 'aws' ? settleForAws(rules, budget) : settleForMinio(rules, speller, budget)
}

function settleForAws({ allows, denies }: Rules, budget: Budget): readonly Rule[] {
  const denied = compressRules(denies, budget)
  const left = withoutDenied(compressRules(allows, budget), denied, budget)
  if (left.length === 0) return [denyAll('*', undefined)]
  return [...mixServices(left, budget), ...denied]
}

function settleForMinio(rules: Rules, speller: Speller, budget: Budget): readonly Rule[] {
  const { allows, denies } = absorbFences(rules, budget)
  const known = (some: readonly Rule[]): readonly Rule[] =>
    compressRules(
      some.flatMap((rule) => withKnownNames(rule, speller)),
      budget,
    )
  const left = withoutDenied(known(allows), denies, budget)
  const guard = ownAccountGuard(left, budget)
  if (left.length === 0) return [denyAll('s3:*', 's3'), ...guard]
  // a service of which nothing is allowed needs no Deny but the guard
  const allowed = new Set(left.map(({ service }) => service))
  const needed = denies.filter(({ service }) => allowed.has(service))
  const settled = [...left, ...known([...needed, ...guard])]
  for (const rule of settled) {
    assertMinioRule(rule, (pattern, name) => containsGlob(pattern, name, budget))
  }
  return settled
}

/** Exceptions among the actions of an Allow become the names of all the others. */
function writeOut(rule: Rule, dialect: NarrowDialect, budget: Budget): Rule {
  const { names, service, origin } = rule
  if (names.except.length === 0) return rule
  const known = knownActions[dialect].filter((name) => name.startsWith(`${service}:`))
  const globs = writtenOut(names, known, origin, budget)
  if (dialect === 'minio') {
    const excepted = (action: string): boolean =>
      names.except.some((other) => containsGlob(other, literalGlob(action), budget))
    refuseImplied(globs, excepted, origin)
  }
  return { ...rule, names: plainNames(globs, budget) }
}

/**
 * Without names that MinIO does not know, for which it would refuse the whole document. Nobody can ask for such an action there,
 * so an Allow loses nothing; a Deny that is left out could be missed by a server that does know it.
 */
function withKnownNames(rule: Rule, { meant }: Speller): readonly Rule[] {
  if (rule.service !== 's3') return rule.names.patterns.length === 0 ? [] : [rule]
  const patterns = rule.names.patterns.filter((pattern) => meant(pattern).length > 0)
  const lost = rule.names.patterns.find((pattern) => !patterns.includes(pattern))
  if (lost !== undefined && rule.effect === 'Deny') {
    throw malformed(rule.origin, `MinIO has no action ${shown(lost.key)} that could be denied`)
  }
  return patterns.length === 0 ? [] : [{ ...rule, names: { patterns, except: [] } }]
}

/** @see ownAccountActions */
function ownAccountGuard(allows: readonly Rule[], budget: Budget): readonly Rule[] {
  const allowed = allows
    .filter(({ service }) => service === 'admin')
    .flatMap(({ names }) => names.patterns)
  if (allowed.length === 0) return [denyAll('admin:*', 'admin')]
  const patterns = ownAccountActions
    .map((action) => literalGlob(action.toLowerCase()))
    .filter((action) => !allowed.some((pattern) => containsGlob(pattern, action, budget)))
  return patterns.length === 0
    ? []
    : [{ ...denyAll('admin:*', 'admin'), names: { patterns, except: [] } }]
}

function denyAll(actions: 's3:*' | 'admin:*' | '*', service: string | undefined): Rule {
  const pattern = globOf([...codesOfText(actions.slice(0, -1)), anyRun])
  return {
    effect: 'Deny',
    service,
    names: { patterns: [pattern], except: [] },
    places: everywhere,
    terms: [],
    origin: 'the answer',
  }
}
