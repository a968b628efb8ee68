import { parsePolicy } from '../policy/index.ts'
import type { Policy } from '../policy/index.ts'
import { Refusal } from '../errors.ts'
import type { GrantError } from './grant-error.ts'
import type { Trace } from './trace.ts'
import type { GrantRequest, PolicyBook } from './types.ts'

/**
 * What narrows a session, layer by layer: documents, and names of policies that unite with the documents of the same
 * place.
 */
export type SessionLayers = Readonly<{
  documents: readonly (readonly string[])[]
  names: readonly (readonly string[])[]
}>

export const noLayers: SessionLayers = { documents: [], names: [] }
/** Allows nothing. */
export const emptyLayer: SessionLayers = { documents: [[]], names: [[]] }

type Wishes = Pick<GrantRequest, 'sessionPolicy' | 'policyArns'>
type Ground = Readonly<{ maxBytes: number; policies: PolicyBook; trace: Trace }>

/**
 * The layers in a request: none, or one of a document and of named policies (AWS STS API reference, AssumeRole,
 * `Policy` and `PolicyArns`). Empty text counts as not given. The limit counts the document without its white space.
 */
export function readSessionLayers(wishes: Wishes, ground: Ground): SessionLayers {
  const document = readDocument(wishes.sessionPolicy, ground)
  const names = readPolicyArns(wishes.policyArns ?? [], ground)
  if (document === undefined && names.length === 0) return noLayers
  return { documents: [document === undefined ? [] : [document]], names: [names] }
}

/** The layers of both, one after the other, so that each still stands for itself. */
export function stackLayers(lower: SessionLayers, upper: SessionLayers): SessionLayers {
  const even = padded(lower)
  return {
    documents: [...even.documents, ...upper.documents],
    names: [...even.names, ...upper.names],
  }
}

/** With as many lists of the one as of the other. */
function padded({ documents, names }: SessionLayers): SessionLayers {
  const layers = Array.from({ length: Math.max(documents.length, names.length) }, (_, at) => at)
  return {
    documents: layers.map((layer) => documents[layer] ?? []),
    names: layers.map((layer) => names[layer] ?? []),
  }
}

function readDocument(text: string | undefined, { maxBytes, trace }: Ground): string | undefined {
  if (text === undefined || text === '') return undefined
  const document = parse(text, trace).text
  const size = Buffer.byteLength(document)
  if (size > maxBytes) throw tooLarge(`has ${size} bytes`, maxBytes, trace)
  trace.ok('session policy', `${size} bytes; it narrows what the policies allow, and adds nothing`)
  return document
}

const maxArns = 10
const policyArn = /^arn:aws:iam::(?:000000000000|aws):policy\/([^/]+)$/

/** By name, so that a change of the policy acts at once. One that does not exist narrows to an unknown extent: refused. */
function readPolicyArns(arns: readonly string[], { policies, trace }: Ground): readonly string[] {
  if (arns.length > maxArns) throw badArn(`There are at most ${maxArns} PolicyArns`, trace)
  const names = arns.map((arn) => {
    const name = policyArn.exec(arn)?.[1]
    if (name !== undefined && policies.findPolicy(name) !== undefined) return name
    throw badArn(`PolicyArns: ${JSON.stringify(arn.slice(0, 128))} names no policy`, trace)
  })
  if (names.length > 0) {
    const listed = names.map((name) => JSON.stringify(name)).join(', ')
    trace.ok('session policy', `${listed}: they narrow what the policies allow, and add nothing`)
  }
  return [...new Set(names)]
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

function badArn(message: string, trace: Trace): GrantError {
  return trace.refusal('session policy', 'invalid_parameter', message, {
    detail: { parameter: 'PolicyArns' },
  })
}
