import { parsePolicy } from '../policy/index.ts'
import type { Policy } from '../policy/index.ts'
import { Refusal } from '../errors.ts'
import type { Trace } from './trace.ts'

/**
 * The layers of session policy in a request: none, or one of one document. Empty text counts as not given.
 * The limit counts the document without its white space (AWS STS API reference, AssumeRole, `Policy`).
 */
export function readSessionPolicy(
  text: string | undefined,
  maxBytes: number,
  trace: Trace,
): readonly (readonly string[])[] {
  if (text === undefined || text === '') return []
  const document = parse(text, trace).text
  const size = Buffer.byteLength(document)
  if (size > maxBytes) throw tooLarge(`has ${size} bytes`, maxBytes, trace)
  trace.ok('session policy', `${size} bytes; it narrows what the policies allow, and adds nothing`)
  return [[document]]
}

function parse(text: string, trace: Trace): Policy {
  try {
    return parsePolicy(text, 'session')
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw refused(error, trace)
  }
}

function refused(error: Refusal, trace: Trace): Error {
  const code = error.code === 'policy_too_large' ? 'session_policy_too_large' : 'malformed_policy'
  return trace.refusal('session policy', code, `Policy: ${error.message}`, {
    detail: { ...error.detail, parameter: 'Policy' },
    cause: error,
  })
}

function tooLarge(found: string, maxBytes: number, trace: Trace): Error {
  return trace.refusal(
    'session policy',
    'session_policy_too_large',
    `Policy ${found} without white space; ${maxBytes} are allowed`,
    { detail: { parameter: 'Policy' } },
  )
}
