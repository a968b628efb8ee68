import type { z } from 'zod'
import { PolicyError, parsePolicy } from '../../policy/index.ts'

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

/** By a schema; every problem at once. */
export function parseBy<S extends z.ZodType, T>(
  schema: S,
  object: unknown,
  make: (value: z.infer<S>) => Parsed<T>,
): Parsed<T> {
  const parsed = schema.safeParse(object)
  if (parsed.success) return make(parsed.data)
  const problems = parsed.error.issues.map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: issue.message.endsWith('received undefined') ? 'is missing' : issue.message,
  }))
  return refused(...problems)
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
