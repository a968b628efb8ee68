import { CompiledPolicy } from '../compiled-policy.ts'
import { malformed, shown, tooLarge } from '../errors.ts'
import { spelledActions } from '../known-actions.ts'
import { parsePolicy } from '../parse.ts'
import { absorbFences } from './absorb.ts'
import { Budget } from './budget.ts'
import { compressRules, mixServices, withoutDenied } from './compress.ts'
import { readerFor, type Reader } from './fill-in.ts'
import { anyRun } from '../wildcard.ts'
import { containsGlob, globOf, isEvery, codesOfText, literalGlob, type Glob } from './glob.ts'
import { intersectRules } from './join-rules.ts'
import {
  assertMinioRule,
  minioS3Actions,
  ownAccountActions,
  refuseImplied,
} from './minio-dialect.ts'
import { plainNames, writtenOut } from './names.ts'
import type {
  NarrowDialect,
  NarrowPolicy,
  NarrowQuestion,
  Rule,
  SourcedPolicy,
} from './narrow-types.ts'
import { everywhere } from './places.ts'
import { printRules } from './print-rules.ts'
import { readRules } from './read-rules.ts'
import { spellerOf, type Speller } from './spell.ts'

/** Bytes of all documents together, as normalised. */
const mostBytes = 64 * 1024
/** Some 50 ms of a slow core. */
const mostSteps = 200_000

/**
 * One document that says what several say together, for a target that asks nobody but this document: it allows exactly what some
 * bound document allows, no document denies, and every document of the session allows by itself. What a document says of the
 * person is decided here, since the target sees only the broker; what it says of requests stays.
 *
 * Never wider: what cannot be shown to be the same is refused. Where nothing is allowed, the answer is a document that denies
 * everything, since MinIO refuses one without statements. Equal questions give equal bytes.
 * @throws PolicyError `malformed_policy` that names policy and statement; `policy_too_large` over 64 KiB in or 20 KiB out. The
 * limit of the target (2048 bytes) is the caller's to compare.
 */
export function narrow({ bound, session, facts, dialect }: NarrowQuestion): NarrowPolicy {
  if (bound.length === 0) throw malformed('', 'nothing is bound, so nothing can be allowed')
  const documents = [...bound, ...session].map(documentOf)
  const bytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  if (bytes > mostBytes) throw tooLarge(bytes, mostBytes)
  const budget = new Budget(mostSteps)
  const reader = readerFor(facts, dialect)
  const speller = spellerOf(knownActions[dialect], writtenNames(documents), budget)
  const layers = readLayers(bound, session, reader, budget)
  const settled = settle(layers, dialect, speller, budget)
  const text = printRules(settled, dialect, (names) => spellAll(names, dialect, speller))
  // what we hand out must mean to ourselves what it should mean to others
  parsePolicy(text, 'session')
  return { text, bytes: Buffer.byteLength(text) }
}

const knownActions: Readonly<Record<NarrowDialect, readonly string[]>> = {
  minio: minioS3Actions,
  aws: spelledActions,
}

type Rules = Readonly<{ allows: readonly Rule[]; denies: readonly Rule[] }>

function documentOf({ name, policy }: SourcedPolicy): CompiledPolicy {
  const problem = policy.kind === 'broken' ? policy.problem : 'it was not parsed'
  if (!(policy instanceof CompiledPolicy)) throw malformed(`policy ${shown(name)}`, problem)
  if (policy.kind === 'identity' || policy.kind === 'session') return policy
  throw malformed(`policy ${shown(name)}`, `a policy of kind ${policy.kind} does not belong here`)
}

function textOf(policy: SourcedPolicy): string {
  return documentOf(policy).text
}

/** The bound documents unite, each document of the session narrows them; denies of all count. */
function readLayers(
  bound: readonly SourcedPolicy[],
  session: readonly SourcedPolicy[],
  reader: Reader,
  budget: Budget,
): Rules {
  const read = (policy: SourcedPolicy): readonly Rule[] => {
    const origin = `policy ${shown(policy.name)}${policy.source === undefined ? '' : ` of ${policy.source}`}`
    return readRules(documentOf(policy), reader, origin, budget)
  }
  const allowing = (rules: readonly Rule[]): readonly Rule[] =>
    compressRules(
      rules.filter(({ effect }) => effect === 'Allow'),
      budget,
    )
  const slashed = reader.dialect === 'minio'
  const base = bound.flatMap(read)
  // in one order, since a pair that cannot be told may never meet in another
  const ceilings = [...session]
    .sort((left, right) => (textOf(left) < textOf(right) ? -1 : 1))
    .map(read)
  return {
    allows: ceilings.reduce(
      (left, ceiling) => allowing(intersectRules(left, allowing(ceiling), slashed, budget)),
      allowing(base),
    ),
    denies: [base, ...ceilings].flat().filter(({ effect }) => effect === 'Deny'),
  }
}

/** In words that the target has, and as few as possible. */
function settle(
  { allows, denies }: Rules,
  dialect: NarrowDialect,
  speller: Speller,
  budget: Budget,
): readonly Rule[] {
  const written = allows.map((rule) => writeOut(rule, dialect, budget))
  if (dialect === 'aws') {
    const denied = compressRules(denies, budget)
    const left = withoutDenied(compressRules(written, budget), denied, budget)
    if (left.length === 0) return [denyAll('*', undefined)]
    return [...mixServices(left, budget), ...denied]
  }
  const fenced = absorbFences({ allows: written, denies }, budget)
  const known = (rules: readonly Rule[]): readonly Rule[] =>
    compressRules(
      rules.flatMap((rule) => withKnownNames(rule, speller)),
      budget,
    )
  const left = withoutDenied(known(fenced.allows), fenced.denies, budget)
  const guard = ownAccountGuard(left, budget)
  if (left.length === 0) return [denyAll('s3:*', 's3'), ...guard]
  const settled = [...left, ...known([...fenced.denies, ...guard])]
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
  const pattern: Glob = globOf([...codesOfText(actions.slice(0, -1)), anyRun])
  return {
    effect: 'Deny',
    service,
    names: { patterns: [pattern], except: [] },
    places: everywhere,
    terms: [],
    origin: 'the answer',
  }
}

/** As the documents spelled them: MinIO compares the names of administration with case, and they are no list of ours. */
function writtenNames(documents: readonly CompiledPolicy[]): ReadonlyMap<string, string> {
  const listed = documents.flatMap(({ document }) =>
    document.statements.flatMap(({ action }) => action.values),
  )
  // in the end the same, whatever the order: of several spellings the last in this order stays
  return new Map(
    [...listed, ...ownAccountActions]
      .sort()
      .toReversed()
      .map((name) => [name.toLowerCase(), name]),
  )
}

function spellAll(
  names: readonly Glob[],
  dialect: NarrowDialect,
  { spell, meant }: Speller,
): readonly Glob[] {
  return names.flatMap((name) => {
    if (isEvery(name)) return [name]
    const spelled = spell(name)
    if (spelled !== undefined) return [spelled]
    return dialect === 'minio' && name.wild ? meant(name) : [name]
  })
}
