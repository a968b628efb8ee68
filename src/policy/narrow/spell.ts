import type { Budget } from './budget.ts'
import {
  codesOfText,
  containsGlob,
  globOf,
  literalGlob,
  plainText,
  type Code,
  type Glob,
} from './glob.ts'
import { anyRun } from '../wildcard.ts'

/** Action names as people write them. MinIO compares with case, where everybody else does not. */
export type Speller = Readonly<{
  /** `undefined`: no spelling of the pattern matches every known action that it means. */
  spell(pattern: Glob): Glob | undefined
  /** The known actions that the pattern means, as they are spelled. */
  meant(pattern: Glob): readonly Glob[]
}>

/**
 * @param known actions of the target as it spells them
 * @param written as the documents spelled the others, by their lower case
 */
export function spellerOf(
  known: readonly string[],
  written: ReadonlyMap<string, string>,
  budget: Budget,
): Speller {
  const names = known.map((name) => ({ lower: literalGlob(name.toLowerCase()), name }))
  const meant = (pattern: Glob): readonly Glob[] =>
    names
      .filter(({ lower }) => containsGlob(pattern, lower, budget))
      .map(({ name }) => literalGlob(name))
  const spell = (pattern: Glob): Glob | undefined => {
    const spelled = meant(pattern)
    const [first] = spelled
    if (!pattern.wild) return first ?? literalGlob(written.get(pattern.key) ?? pattern.key)
    if (first === undefined) return pattern
    const guess = recased(pattern, plainText(first))
    return guess && spelled.every((name) => containsGlob(guess, name, budget)) ? guess : undefined
  }
  return { spell, meant }
}

/** The pattern in the case of a name that it matches: what stands before its first and behind its last `*`. */
function recased(pattern: Glob, name: string): Glob | undefined {
  const spelled = codesOfText(name)
  const first = pattern.codes.indexOf(anyRun)
  const last = pattern.codes.lastIndexOf(anyRun)
  const middle = first < 0 ? [] : pattern.codes.slice(first, last + 1)
  const head = first < 0 ? pattern.codes : pattern.codes.slice(0, first)
  const tail = first < 0 ? [] : pattern.codes.slice(last + 1)
  if (middle.some((code) => code !== anyRun)) return undefined
  const like = (code: Code, letter: number | undefined): Code =>
    typeof code === 'number' && code >= 0 ? (letter ?? code) : code
  return globOf([
    ...head.map((code, index) => like(code, spelled[index])),
    ...middle,
    ...tail.map((code, index) => like(code, spelled[spelled.length - tail.length + index])),
  ])
}
