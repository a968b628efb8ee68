import { CompiledPolicy } from '../compiled-policy.ts'
import { malformed, shown, tooLarge } from '../errors.ts'
import { parsePolicy } from '../parse.ts'
import { Budget } from './budget.ts'
import { compressRules } from './compress.ts'
import { readerFor, type Reader } from './fill-in.ts'
import { isEvery, type Glob } from './glob.ts'
import { intersectRules } from './join-rules.ts'
import { ownAccountActions } from './minio-dialect.ts'
import type {
  NarrowDialect,
  NarrowPolicy,
  NarrowQuestion,
  Rule,
  SourcedPolicy,
} from './narrow-types.ts'
import { printRules } from './print-rules.ts'
import { readRules } from './read-rules.ts'
import { knownActions, settle, type Rules } from './settle.ts'
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
