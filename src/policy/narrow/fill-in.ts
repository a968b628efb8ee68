import type { Ask } from '../ask.ts'
import { malformed, shown } from '../errors.ts'
import { parseTemplate, type TemplateSyntax, type Variable } from '../template.ts'
import { anyOne, anyRun } from '../wildcard.ts'
import { codesOfText, globOf, type Code, type Glob } from './glob.ts'
import type { NarrowDialect, NarrowFacts } from './narrow-types.ts'
import { answersFor } from './person-keys.ts'

/** What a document is read with: the person, and whose parser the result is for. */
export type Reader = Readonly<{
  /** Answers for keys of the person; for others it must not be asked. */
  ask: Ask
  facts: NarrowFacts
  dialect: NarrowDialect
}>

/** How a variable of the person becomes text; `undefined`: it has none, so what holds it matches nothing. */
export type Resolve = (variable: Variable, ask: Ask) => string | undefined

export function readerFor(facts: NarrowFacts, dialect: NarrowDialect): Reader {
  // what a request would say is nowhere in here, so that nothing of this moment is decided for later
  const ask: Ask = {
    access: { action: '', resource: '' },
    facts: { ...facts, aws: { ...facts.aws, CurrentTime: new Date(Number.NaN) } },
    principal: { kind: 'anonymous' },
    action: '',
    service: '',
    s3Path: undefined,
    actionAlias: undefined,
    s3PathAlias: undefined,
  }
  return { ask, facts, dialect }
}

/**
 * A text of a policy with the person's values in their places, as characters and never as wildcards. Variables of the request
 * stay open for a target that knows them. `undefined`: a variable has no value.
 * @throws PolicyError for variables of which nobody knows the value
 */
export function fillIn(
  text: string,
  syntax: TemplateSyntax,
  reader: Reader,
  resolve: Resolve,
  path: string,
): Glob | undefined {
  const codes: Code[] = []
  for (const part of parseTemplate(text, syntax, path)) {
    if (part.kind === 'any-run') codes.push(anyRun)
    else if (part.kind === 'any-one') codes.push(anyOne)
    else {
      const piece = part.kind === 'literal' ? part.text : valueOf(part, reader, resolve, path)
      if (piece === undefined) return undefined
      if (typeof piece !== 'string') codes.push(piece.open)
      else {
        if (!piece.isWellFormed()) throw malformed(path, `${shown(text)} holds half a character`)
        codes.push(...codesOfText(piece))
      }
    }
  }
  return globOf(codes)
}

function valueOf(
  variable: Variable,
  { ask, facts, dialect }: Reader,
  resolve: Resolve,
  path: string,
): string | undefined | Readonly<{ open: string }> {
  const { name, key, fallback } = variable
  switch (answersFor(key, facts)) {
    case 'person':
      return resolve(variable, ask)
    case 'unknown':
      throw malformed(path, `nobody is known to fill in the variable ${shown(name)}`)
    case 'request':
      if (dialect === 'minio') {
        throw malformed(path, `MinIO does not fill in the variable ${shown(name)} of a request`)
      }
      return { open: `\${${name}${fallback === undefined ? '' : `, '${fallback}'`}}` }
  }
}
