import { compileDocument, readsObjectTags, type CompiledStatement } from './compile.ts'
import type { Document } from './document.ts'
import { findWarnings } from './lint.ts'
import { normalText } from './normal-text.ts'
import type { BrokenPolicy, Policy, PolicyKind } from './types.ts'

/** The only thing that is a policy: what looks like one but was not compiled here is taken for broken. */
export class CompiledPolicy implements Policy {
  readonly kind: PolicyKind
  readonly text: string
  readonly readsObjectTags: boolean
  readonly document: Document
  readonly statements: readonly CompiledStatement[]
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
  if (policy instanceof CompiledPolicy) {
    if (places[policy.kind] === place) return policy.statements
    return `a policy of kind ${policy.kind} does not belong here`
  }
  return policy.kind === 'broken' ? policy.problem : 'it was not parsed'
}
