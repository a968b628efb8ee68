import { z } from 'zod'
import { labelName, policyName } from './names.ts'
import { parseBy, parsedOf, readDocument, refused, type Parsed } from './parsed.ts'

/** A policy document that the tenants of a namespace may be bound to by its name. */
export type PolicyResource = Readonly<{ namespace: string; name: string; text: string }>

/** `daypass.dev/v1 Policy`. */
const schema = z.object({
  metadata: z.object({ name: policyName, namespace: labelName }),
  spec: z.strictObject({ document: z.record(z.string(), z.unknown()) }),
})

export function parsePolicyResource(object: unknown): Parsed<PolicyResource> {
  return parseBy(schema, object, ({ metadata: { name, namespace }, spec }) => {
    const read = readDocument(spec.document, 'spec.document')
    return 'message' in read ? refused(read) : parsedOf({ namespace, name, text: read.text })
  })
}
