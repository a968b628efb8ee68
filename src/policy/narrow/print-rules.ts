import { parseOperatorName } from '../conditions.ts'
import { malformed, shown } from '../errors.ts'
import { anyOne, anyRun } from '../wildcard.ts'
import { isEvery, type Glob } from './glob.ts'
import { minioValue } from './minio-dialect.ts'
import type { NarrowDialect, Places, Rule, Term } from './narrow-types.ts'
import { isEverywhere } from './places.ts'

/**
 * Rules as compact JSON of Version 2012-10-17. One member order and one statement order: equal rules give equal bytes.
 * @param spell action names as the target spells them
 * @throws PolicyError for characters that the target cannot be told literally
 */
export function printRules(
  rules: readonly Rule[],
  dialect: NarrowDialect,
  spell: (names: readonly Glob[]) => readonly Glob[],
): string {
  const statements = rules.map((rule) => JSON.stringify(statementOf(rule, dialect, spell)))
  const unique = [...new Set(statements)].sort((left, right) => (left < right ? -1 : 1))
  return `{"Version":"2012-10-17","Statement":[${unique.join(',')}]}`
}

function statementOf(
  rule: Rule,
  dialect: NarrowDialect,
  spell: (names: readonly Glob[]) => readonly Glob[],
): Readonly<Record<string, unknown>> {
  const { effect, names, terms, origin } = rule
  const spelled = (globs: readonly Glob[]): unknown =>
    oneOrMany(
      spell(globs)
        .map((glob) => wildText(glob, dialect, origin))
        .sort(),
      dialect,
    )
  const action =
    names.except.length > 0
      ? { NotAction: spelled(names.except) }
      : { Action: spelled(names.patterns) }
  return {
    Effect: effect,
    ...action,
    ...placesJson(rule, dialect),
    ...(terms.length > 0 && { Condition: conditionJson(terms, dialect, origin) }),
  }
}

function placesJson(
  { service, places, origin }: Rule,
  dialect: NarrowDialect,
): Readonly<Record<string, unknown>> {
  // MinIO takes no bare `*`, and no resource where it looks at none
  if (dialect === 'minio' && isEverywhere(places)) {
    return service === 's3' ? { Resource: ['arn:aws:s3:::*'] } : {}
  }
  const texts = (globs: Places['globs']): unknown =>
    oneOrMany(globs.map((glob) => wildText(glob, dialect, origin)).sort(), dialect)
  return { [places.negated ? 'NotResource' : 'Resource']: texts(places.globs) }
}

function conditionJson(
  terms: readonly Term[],
  dialect: NarrowDialect,
  origin: string,
): Readonly<Record<string, unknown>> {
  const operators = Map.groupBy(terms, ({ operator }) => operator)
  return Object.fromEntries(
    [...operators.keys()].sort().map((operator) => [
      operator,
      Object.fromEntries(
        (operators.get(operator) ?? []).map((term) => {
          const path = `${origin}.Condition.${operator}.${term.spelling}`
          const texts = term.values.map((value) => valueText(term, value, dialect, path))
          const [only] = texts
          return [term.spelling, texts.length === 1 ? only : texts]
        }),
      ),
    ]),
  )
}

function valueText({ operator }: Term, value: Glob, dialect: NarrowDialect, path: string): string {
  const { base } = parseOperatorName(operator)
  if (base.endsWith('Like') || base.startsWith('Arn')) return wildText(value, dialect, path)
  if (dialect === 'aws') return literalText(value)
  const text = minioValue(base, value)
  if (text === undefined || text.includes('${')) {
    throw malformed(path, `MinIO has no way to say the value ${shown(value.key)}`)
  }
  return text
}

/** A text in which `*` and `?` are characters. */
function literalText({ codes }: Glob): string {
  return escapeDollars(
    codes.map((code) => (typeof code === 'string' ? { open: code } : String.fromCodePoint(code))),
  )
}

/** A text in which `*` and `?` are wildcards: AWS writes the characters as `${*}` and `${?}`, MinIO cannot. */
function wildText(glob: Glob, dialect: NarrowDialect, path: string): string {
  if (isEvery(glob)) return '*'
  const pieces = glob.codes.map((code): string | Readonly<{ open: string }> => {
    if (typeof code === 'string') return { open: code }
    if (code === anyRun || code === anyOne) return code === anyRun ? '*' : '?'
    const character = String.fromCodePoint(code)
    if (character !== '*' && character !== '?') return character
    if (dialect === 'aws') return { open: `\${${character}}` }
    throw malformed(
      path,
      `MinIO has no way to say ${shown(character)} literally: ${shown(glob.key)}`,
    )
  })
  const text = escapeDollars(pieces)
  if (dialect === 'minio' && text.includes('${')) {
    throw malformed(path, `MinIO has no way to say "\${" literally: ${shown(glob.key)}`)
  }
  return text
}

/** A `${` that is no variable is written `${$}{`. */
function escapeDollars(pieces: readonly (string | Readonly<{ open: string }>)[]): string {
  let text = ''
  for (const [index, piece] of pieces.entries()) {
    if (typeof piece !== 'string') text += piece.open
    else text += piece === '$' && pieces[index + 1] === '{' ? '${$}' : piece
  }
  return text
}

function oneOrMany(texts: readonly string[], dialect: NarrowDialect): unknown {
  const [only] = texts
  return dialect === 'aws' && texts.length === 1 && only !== undefined ? only : texts
}
