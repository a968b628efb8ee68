import type { Administration, StoredPolicy } from '../admin/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { findPolicy, localPolicyArn } from './arn.ts'
import { policyElement, policyVersionElement, versionId } from './elements.ts'
import { IamError } from './iam-error.ts'
import { page, pageParameters } from './page.ts'
import {
  flag,
  oneOf,
  optional,
  policyArnText,
  policyName,
  required,
  rootPath,
  text,
} from './parameter.ts'
import type { Permission } from './types.ts'

/**
 * AWS IAM API reference, managed policies. One version of each is kept: CreatePolicyVersion replaces the document,
 * which acts at once in every live session, and must therefore say `SetAsDefault=true`.
 */
export const policyActions: readonly (readonly [string, Action])[] = [
  [
    'CreatePolicy',
    defineAction({
      parameters: {
        PolicyName: required(policyName),
        PolicyDocument: required(text),
        Path: optional(rootPath),
      },
      effect: 'change',
      permissions: ({ PolicyName }) => onPolicy('CreatePolicy', localPolicyArn(PolicyName)),
      run: async ({ PolicyName, PolicyDocument }, { admin }) => ({
        Policy: policyElement(await admin.createPolicy(PolicyName, PolicyDocument), 0),
      }),
    }),
  ],
  [
    'GetPolicy',
    defineAction({
      parameters: { PolicyArn: required(policyArnText) },
      effect: 'read',
      permissions: ({ PolicyArn }) => onPolicy('GetPolicy', PolicyArn),
      run: ({ PolicyArn }, { admin }) => {
        const policy = findPolicy(admin, PolicyArn)
        return { Policy: policyElement(policy, attachmentCounts(admin).get(policy.name) ?? 0) }
      },
    }),
  ],
  [
    'GetPolicyVersion',
    defineAction({
      parameters: { PolicyArn: required(policyArnText), VersionId: required(text) },
      effect: 'read',
      permissions: ({ PolicyArn }) => onPolicy('GetPolicyVersion', PolicyArn),
      run: ({ PolicyArn, VersionId }, { admin }) => {
        const policy = findPolicy(admin, PolicyArn)
        if (VersionId !== versionId(policy)) {
          throw new IamError(
            'no_such_entity',
            `Only the current version of ${PolicyArn} is kept: ${versionId(policy)}`,
          )
        }
        return { PolicyVersion: { ...policyVersionElement(policy), Document: document(policy) } }
      },
    }),
  ],
  [
    'ListPolicies',
    defineAction({
      parameters: {
        Scope: optional(oneOf('All', 'AWS', 'Local')),
        OnlyAttached: optional(flag),
        PathPrefix: optional(rootPath),
        PolicyUsageFilter: optional(oneOf('PermissionsPolicy', 'PermissionsBoundary')),
        ...pageParameters,
      },
      effect: 'read',
      permissions: () => onPolicy('ListPolicies', '*'),
      run: ({ Scope, OnlyAttached, PolicyUsageFilter, ...range }, { admin }) => {
        const counts = attachmentCounts(admin)
        const count = (policy: StoredPolicy): number => counts.get(policy.name) ?? 0
        const wanted = admin
          .listPolicies()
          .filter((policy) => inScope(policy, Scope ?? 'All'))
          .filter((policy) => OnlyAttached !== true || count(policy) > 0)
          .filter(() => PolicyUsageFilter !== 'PermissionsBoundary')
        return page(
          'Policies',
          wanted,
          (policy) => policy.name,
          range,
          (policy) => policyElement(policy, count(policy)),
        )
      },
    }),
  ],
  [
    'ListPolicyVersions',
    defineAction({
      parameters: { PolicyArn: required(policyArnText), ...pageParameters },
      effect: 'read',
      permissions: ({ PolicyArn }) => onPolicy('ListPolicyVersions', PolicyArn),
      run: ({ PolicyArn, ...range }, { admin }) =>
        page('Versions', [findPolicy(admin, PolicyArn)], versionId, range, policyVersionElement),
    }),
  ],
  [
    'CreatePolicyVersion',
    defineAction({
      parameters: {
        PolicyArn: required(policyArnText),
        PolicyDocument: required(text),
        SetAsDefault: required(oneOf('true')),
      },
      effect: 'change',
      permissions: ({ PolicyArn }) => onPolicy('CreatePolicyVersion', PolicyArn),
      run: async ({ PolicyArn, PolicyDocument }, { admin }) => {
        const { name } = findPolicy(admin, PolicyArn)
        return {
          PolicyVersion: policyVersionElement(await admin.updatePolicy(name, PolicyDocument)),
        }
      },
    }),
  ],
  [
    'DeletePolicy',
    defineAction({
      parameters: { PolicyArn: required(policyArnText) },
      effect: 'change',
      permissions: ({ PolicyArn }) => onPolicy('DeletePolicy', PolicyArn),
      run: async ({ PolicyArn }, { admin }) => {
        await admin.deletePolicy(findPolicy(admin, PolicyArn).name)
        return {}
      },
    }),
  ],
]

function onPolicy(action: string, resource: string): readonly Permission[] {
  return [{ action: `iam:${action}`, resource }]
}

function inScope(policy: StoredPolicy, scope: 'All' | 'AWS' | 'Local'): boolean {
  return scope === 'All' || (scope === 'AWS') === (policy.managedBy === 'built-in')
}

function attachmentCounts(admin: Administration): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const user of admin.listUsers()) {
    for (const name of user.policies) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

/** Percent-encoded, as IAM answers documents. */
function document({ name, policy }: StoredPolicy): string {
  if ('text' in policy) return encodeURIComponent(policy.text)
  throw new IamError('no_such_entity', `The document of "${name}" is broken: ${policy.problem}`)
}
