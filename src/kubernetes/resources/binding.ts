import { z } from 'zod'
import type { ServiceAccountBinding } from '../../grants/index.ts'
import {
  labelName,
  labelSelector,
  namePattern,
  policyName,
  roleArn,
  sessionSeconds,
  subdomainName,
} from './names.ts'
import { parseBy, parsedOf, readDocument, refused, type Parsed } from './parsed.ts'

const claimName = z.string().min(1).max(128)
const claimPattern = z.string().min(1).max(1024)

const subject = z.strictObject({
  cluster: namePattern.optional(),
  namespace: namePattern,
  serviceAccount: namePattern,
  namespaceSelector: labelSelector.optional(),
  serviceAccountSelector: labelSelector.optional(),
  claims: z
    .record(claimName, z.array(claimPattern).min(1, 'is empty, and nothing fits it').max(50))
    .refine((claims) => Object.keys(claims).length > 0, 'is empty; leave it out')
    .optional(),
})

/** `daypass.dev/v1 Binding`. */
const schema = z.object({
  metadata: z.object({ name: subdomainName, namespace: labelName }),
  spec: z
    .strictObject({
      tenant: labelName.optional(),
      subjects: z.array(subject).min(1, 'is empty, and binds nobody').max(100),
      policies: z.array(policyName).min(1).max(100).optional(),
      inline: z.array(z.record(z.string(), z.unknown())).min(1).max(10).optional(),
      roleArn: roleArn.optional(),
      maxSessionSeconds: sessionSeconds.optional(),
    })
    .refine(
      ({ policies, inline, roleArn: role }) => (policies ?? inline ?? role) !== undefined,
      'binds nothing: say policies, inline or roleArn',
    ),
})

export function parseBinding(object: unknown): Parsed<ServiceAccountBinding> {
  return parseBy(schema, object, ({ metadata: { name, namespace }, spec }) => {
    const read = (spec.inline ?? []).map((document, index) =>
      readDocument(document, `spec.inline.${index}`),
    )
    const problems = read.filter((found) => 'message' in found)
    if (problems.length > 0) return refused(...problems)
    return parsedOf({
      id: bindingId(namespace, name),
      namespace,
      tenant: spec.tenant,
      subjects: spec.subjects.map(({ claims, ...rest }) => ({
        ...rest,
        ...(claims && { claims: new Map(Object.entries(claims)) }),
      })),
      policies: [...new Set(spec.policies)],
      documents: read.flatMap((found) => ('text' in found ? [found.text] : [])),
      roleArn: spec.roleArn,
      maxSessionSeconds: spec.maxSessionSeconds,
    })
  })
}

export function bindingId(namespace: string, name: string): string {
  return `daypass.dev/Binding/${namespace}/${name}`
}
