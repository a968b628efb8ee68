import type { Ask } from './ask.ts'
import { compileDocument, readsObjectTags, type CompiledStatement } from './compile.ts'
import type { Document } from './document.ts'
import { findWarnings } from './lint.ts'
import { candidatesAmong, type Candidate } from './match.ts'
import { normalText } from './normal-text.ts'
import type { BrokenPolicy, Policy, PolicyKind } from './types.ts'

/** Actions are few, but whoever simulates may ask about any text. */
const mostActions = 256

/** The only thing that is a policy: what looks like one but was not compiled here is taken for broken. */
export class CompiledPolicy implements Policy {
  readonly kind: PolicyKind
  readonly text: string
  readonly readsObjectTags: boolean
  readonly document: Document
  readonly statements: readonly CompiledStatement[]
  readonly #candidates = new Map<string, readonly Candidate[]>()
  #warnings: readonly string[] | undefined

  /** @throws PolicyError for values that do not compile */
  constructor(document: Document) {
    this.kind = document.kind
    this.document = document
    this.statements = Object.freeze(compileDocument(document))
    this.text = normalText(document)
    this.readsObjectTags = readsObjectTags(document)
    Object.freeze(this)
  }

  /** Looked for when somebody asks: thousands of policies are read at start, few are written. */
  get warnings(): readonly string[] {
    this.#warnings ??= Object.freeze(findWarnings(this.document))
    return this.#warnings
  }

  /** The statements that speak of the action, found once for each: most of a document is about something else. */
  candidates(ask: Ask): readonly Candidate[] {
    const { action, actionAlias } = ask
    const name = actionAlias === undefined ? action : `${action} ${actionAlias}`
    const known = this.#candidates.get(name)
    if (known !== undefined) return known
    const found = candidatesAmong(this.statements, ask)
    if (this.#candidates.size >= mostActions) this.#candidates.clear()
    this.#candidates.set(name, found)
    return found
  }
}

/** Where a policy is put to use. */
export type Place = 'bucket' | 'trust' | 'identity'

const places: Readonly<Record<PolicyKind, Place>> = {
  identity: 'identity',
  session: 'identity',
  bucket: 'bucket',
  trust: 'trust',
}

/** The statements of a policy, or why it cannot speak and so denies everything. */
export function statementsOf(
  policy: Policy | BrokenPolicy,
  place: Place,
): readonly CompiledStatement[] | string {
  const compiled = usable(policy, place)
  return typeof compiled === 'string' ? compiled : compiled.statements
}

/** Those that speak of the action that is asked about, or why the policy cannot speak and so denies everything. */
export function candidatesOf(
  policy: Policy | BrokenPolicy,
  place: Place,
  ask: Ask,
): readonly Candidate[] | string {
  const compiled = usable(policy, place)
  return typeof compiled === 'string' ? compiled : compiled.candidates(ask)
}

function usable(policy: Policy | BrokenPolicy, place: Place): CompiledPolicy | string {
  if (policy instanceof CompiledPolicy) {
    if (places[policy.kind] === place) return policy
    return `a policy of kind ${policy.kind} does not belong here`
  }
  return policy.kind === 'broken' ? policy.problem : 'it was not parsed'
}
