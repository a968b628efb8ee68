import type { z } from 'zod'
import { PolicyError, parsePolicy } from '../../policy/index.ts'
import { objectOf } from './object.ts'

/** What is wrong with a resource, and where: `spec.subjects.0.namespace`. */
export type ResourceProblem = Readonly<{ path: string; message: string }>

/** A value, or why there is none. Problems are never empty where the value is missing. */
export type Parsed<T> =
  | Readonly<{ value: T; problems: readonly [] }>
  | Readonly<{ value: undefined; problems: readonly ResourceProblem[] }>

export function parsedOf<T>(value: T): Parsed<T> {
  return { value, problems: [] }
}

export function refused(...problems: readonly ResourceProblem[]): Parsed<never> {
  return { value: undefined, problems }
}

/** Levels of an object; documents need about ten. Deeper ones are there to break whoever walks through them. */
const mostLevels = 32
/** Nobody reads more, and a status takes no more. */
const mostProblems = 50

/** By a schema; every problem at once. Never throws, whatever it is given. */
export function parseBy<S extends z.ZodType, T>(
  schema: S,
  object: unknown,
  make: (value: z.infer<S>) => Parsed<T>,
): Parsed<T> {
  const unsound = unsoundShape(objectOf(object)['spec'])
  if (unsound) return refused(unsound)
  const parsed = schema.safeParse(object)
  if (parsed.success) return make(parsed.data)
  const problems = parsed.error.issues.slice(0, mostProblems).map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message.endsWith('received undefined') ? 'is missing' : issue.message,
  }))
  return refused(...problems)
}

/**
 * What a schema would not see. A member `__proto__` is left out silently by what copies objects: a condition on a claim
 * of that name, or a label, would be no condition any more.
 */
function unsoundShape(spec: unknown): ResourceProblem | undefined {
  let level: readonly unknown[] = [spec]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > mostLevels) return { path: 'spec', message: `is nested deeper than ${mostLevels}` }
    const objects = level.filter((value) => typeof value === 'object' && value !== null)
    if (objects.some((value) => Object.hasOwn(value, '__proto__'))) {
      return { path: 'spec', message: 'has a member __proto__, which nothing may be called' }
    }
    level = objects.flatMap((value) => Object.values(value))
  }
  return undefined
}

/** The text of a policy document that stands in a resource as an object, in its normal form; or its problem. */
export function readDocument(
  document: unknown,
  path: string,
): Readonly<{ text: string }> | ResourceProblem {
  try {
    return { text: parsePolicy(JSON.stringify(document), 'identity').text }
  } catch (error) {
    if (error instanceof PolicyError) return { path, message: error.message }
    throw error
  }
}
