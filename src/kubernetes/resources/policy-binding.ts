import { z } from 'zod'
import type { ServiceAccountBinding } from '../../grants/index.ts'
import { labelName, policyName, subdomainName } from './names.ts'
import { parseBy, parsedOf, type Parsed } from './parsed.ts'

/**
 * `sts.min.io/v1beta1` and `v1alpha1` PolicyBinding, which are the same. A resource without `spec`, which the CRD of the
 * MinIO Operator admits, is a problem like any other.
 */
const schema = z.object({
  metadata: z.object({ name: subdomainName, namespace: labelName }),
  spec: z.object({
    application: z.object({ namespace: labelName, serviceaccount: subdomainName }),
    policies: z.array(policyName).min(1, 'is empty, and binds nothing').max(100),
  }),
})

export function parsePolicyBinding(object: unknown): Parsed<ServiceAccountBinding> {
  return parseBy(schema, object, ({ metadata: { name, namespace }, spec }) => {
    const { application, policies } = spec
    return parsedOf({
      id: policyBindingId(namespace, name),
      namespace,
      subjects: [{ namespace: application.namespace, serviceAccount: application.serviceaccount }],
      policies: [...new Set(policies)],
      documents: [],
    })
  })
}

export function policyBindingId(namespace: string, name: string): string {
  return `sts.min.io/PolicyBinding/${namespace}/${name}`
}
