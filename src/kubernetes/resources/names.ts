import { z } from 'zod'

/** RFC 1123, label. */
export const labelName = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'is 1 to 63 lower-case letters, digits or -')

/** RFC 1123, subdomain. */
export const subdomainName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/,
    'is lower-case letters, digits, - and .',
  )

/**
 * A name, or a pattern in which `*` stands for any characters of that one name. What separates names (`:`, `/`) does not
 * belong into one: a pattern that crosses it would mean more than it seems to.
 */
export const namePattern = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9.*-]+$/, 'is lower-case letters, digits, -, . and * for any of these')

/** As MinIO and we name policies. No comma, since that separates names. */
export const policyName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\w+=.@-]+$/, 'has letters, digits or characters of _+=.@- alone')

export const roleArn = z
  .string()
  .max(2048)
  .regex(/^arn:[a-z-]+:iam:[a-z0-9-]*:\d*:role\/[\w+=,.@/-]+$/, 'is not the ARN of a role')

/** AWS STS API reference, and the least of MinIO. */
export const sessionSeconds = z.int().min(900).max(43_200)

const labelValue = z.string().max(63)
const labelKey = z.string().min(1).max(317)

/** Kubernetes API reference, LabelSelector v1 meta. */
export const labelSelector = z
  .strictObject({
    matchLabels: z.record(labelKey, labelValue).optional(),
    matchExpressions: z
      .array(
        z.strictObject({
          key: labelKey,
          operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
          values: z.array(labelValue).max(100).optional(),
        }),
      )
      .max(50)
      .optional(),
  })
  .refine(
    ({ matchLabels = {}, matchExpressions = [] }) =>
      Object.keys(matchLabels).length + matchExpressions.length > 0,
    'is empty, and would select everything; leave it out, or say what it selects',
  )
  .refine(
    ({ matchExpressions = [] }) =>
      matchExpressions.every(({ operator, values = [] }) =>
        operator === 'In' || operator === 'NotIn' ? values.length > 0 : values.length === 0,
      ),
    'In and NotIn need values, Exists and DoesNotExist have none',
  )
  .transform(({ matchLabels = {}, matchExpressions = [] }) => [
    ...Object.entries(matchLabels).map(([key, value]) => ({
      key,
      operator: 'In' as const,
      values: [value],
    })),
    ...matchExpressions.map(({ key, operator, values = [] }) => ({ key, operator, values })),
  ])
