import { isDeepStrictEqual } from 'node:util'
import type { ServiceAccountBinding } from '../grants/index.ts'

/** What became of a binding that is counted, or was. */
export type BindingChange = Readonly<{
  /** `daypass.dev/Binding/NAMESPACE/NAME` */
  id: string
  /**
   * `gone`: gives nothing any more, because it was deleted or does not parse. `narrower`: somebody may have got through it
   * what it would not give now. `wider`: gives what it gave, or more.
   */
  became: 'gone' | 'narrower' | 'wider'
}>

/** `undefined` when neither counts, or both say the same. */
export function compareBindings(
  id: string,
  before: ServiceAccountBinding | undefined,
  after: ServiceAccountBinding | undefined,
): BindingChange | undefined {
  if (before === undefined) return after && { id, became: 'wider' }
  if (after === undefined) return { id, became: 'gone' }
  if (isDeepStrictEqual(before, after)) return undefined
  return { id, became: isWider(before, after) ? 'wider' : 'narrower' }
}

/**
 * Only what is plain: everything that was there still is. A policy that is added by name counts as more, though it may
 * deny something; a document that stands here and denies does not.
 */
function isWider(before: ServiceAccountBinding, after: ServiceAccountBinding): boolean {
  const longest = after.maxSessionSeconds ?? Infinity
  return (
    (after.tenant === undefined || after.tenant === before.tenant) &&
    after.roleArn === before.roleArn &&
    (longest === Infinity || longest >= (before.maxSessionSeconds ?? Infinity)) &&
    before.policies.every((policy) => after.policies.includes(policy)) &&
    before.documents.every((document) => after.documents.includes(document)) &&
    after.documents.every((text) => before.documents.includes(text) || !denies(text)) &&
    before.subjects.every((subject) =>
      after.subjects.some((other) => isDeepStrictEqual(subject, other)),
    )
  )
}

/** Of a document in its normal form. A text that merely holds the word counts as one that denies. */
function denies(text: string): boolean {
  return text.includes('"Deny"')
}
