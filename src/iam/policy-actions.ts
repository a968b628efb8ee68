import type { PolicyVersion, StoredPolicy } from '../admin/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { findPolicy, localPolicyArn, policyNameOf } from './arn.ts'
import { cascadeOfPolicy } from './cascade.ts'
import { policyElement, policyVersionElement } from './elements.ts'
import { absent } from './find.ts'
import { page, pageParameters } from './page.ts'
import {
  flag,
  oneOf,
  optional,
  policyArnText,
  policyName,
  required,
  pathPrefix,
  rootPath,
  tags,
  text,
  under,
} from './parameter.ts'
import { on, onNew } from './permissions.ts'

/**
 * AWS IAM API reference, managed policies with up to five versions. `Cascade` is ours: the further versions go with the
 * policy. What becomes the default version acts at once in every live session.
 */
export const policyActions: readonly (readonly [string, Action])[] = [
  [
    'CreatePolicy',
    defineAction({
      parameters: {
        PolicyName: required(policyName),
        PolicyDocument: required(text),
        Path: optional(rootPath),
        Description: optional(text),
        Tags: tags,
      },
      effect: 'change',
      permissions: ({ PolicyName, Tags }) =>
        onNew(
          localPolicyArn(PolicyName),
          { create: 'CreatePolicy', tag: 'TagPolicy' },
          { tags: Tags },
        ),
      run: async ({ PolicyName, PolicyDocument, Description, Tags }, { admin }) => {
        const policy = await admin.createPolicy(PolicyName, PolicyDocument, {
          ...(Description === undefined ? {} : { description: Description }),
          tags: Tags,
        })
        return { Policy: policyElement(admin, policy) }
      },
    }),
  ],
  [
    'GetPolicy',
    defineAction({
      parameters: { PolicyArn: required(policyArnText) },
      effect: 'read',
      permissions: ({ PolicyArn }) => on('GetPolicy', PolicyArn),
      run: ({ PolicyArn }, { admin }) => ({
        Policy: policyElement(admin, findPolicy(admin, PolicyArn)),
      }),
    }),
  ],
  [
    'ListPolicies',
    defineAction({
      parameters: {
        Scope: optional(oneOf('All', 'AWS', 'Local')),
        OnlyAttached: optional(flag),
        PathPrefix: optional(pathPrefix),
        PolicyUsageFilter: optional(oneOf('PermissionsPolicy', 'PermissionsBoundary')),
        ...pageParameters,
      },
      effect: 'read',
      permissions: () => on('ListPolicies', '*'),
      run: ({ Scope, OnlyAttached, PathPrefix, PolicyUsageFilter, ...range }, { admin }) => {
        const as = PolicyUsageFilter === 'PermissionsBoundary' ? 'boundary' : 'policy'
        const isUsed = ({ name }: StoredPolicy): boolean =>
          admin
            .listAttachments(name)
            .some((each) => PolicyUsageFilter === undefined || each.as === as)
        const wanted = admin
          .listPolicies()
          .filter((policy) => inScope(policy, Scope ?? 'All'))
          .filter(
            (policy) =>
              (OnlyAttached !== true && PolicyUsageFilter === undefined) || isUsed(policy),
          )
        return page(
          'Policies',
          under(PathPrefix, wanted),
          (policy) => policy.name,
          range,
          (policy) => policyElement(admin, policy),
        )
      },
    }),
  ],
  [
    'DeletePolicy',
    defineAction({
      parameters: { PolicyArn: required(policyArnText), Cascade: optional(flag) },
      effect: 'change',
      permissions: ({ PolicyArn, Cascade }, { admin }) => [
        ...on('DeletePolicy', PolicyArn),
        ...(Cascade === true ? cascadeOfPolicy(admin, PolicyArn, policyNameOf(PolicyArn)) : []),
      ],
      run: async ({ PolicyArn, Cascade }, { admin }) => {
        const { name } = findPolicy(admin, PolicyArn)
        await admin.deletePolicy(name, Cascade === true ? 'cascade' : 'bare')
        return {}
      },
    }),
  ],
  [
    'CreatePolicyVersion',
    defineAction({
      parameters: {
        PolicyArn: required(policyArnText),
        PolicyDocument: required(text),
        SetAsDefault: optional(flag),
      },
      effect: 'change',
      permissions: ({ PolicyArn }) => on('CreatePolicyVersion', PolicyArn),
      run: async ({ PolicyArn, PolicyDocument, SetAsDefault }, { admin }) => {
        const { name } = findPolicy(admin, PolicyArn)
        const asDefault = SetAsDefault === true
        const { id, createdAt } = await admin.createPolicyVersion(name, PolicyDocument, asDefault)
        return {
          PolicyVersion: { VersionId: id, IsDefaultVersion: asDefault, CreateDate: createdAt },
        }
      },
    }),
  ],
  [
    'GetPolicyVersion',
    defineAction({
      parameters: { PolicyArn: required(policyArnText), VersionId: required(text) },
      effect: 'read',
      permissions: ({ PolicyArn }) => on('GetPolicyVersion', PolicyArn),
      run: ({ PolicyArn, VersionId }, { admin }) => {
        const policy = findPolicy(admin, PolicyArn)
        const version = policy.versions.find(({ id }) => id === VersionId)
        if (!version) return absent(`version ${VersionId.slice(0, 32)} of ${PolicyArn}`)
        return {
          PolicyVersion: {
            ...policyVersionElement(policy, version),
            Document: encodeURIComponent(documentOf(policy, version)),
          },
        }
      },
    }),
  ],
  [
    'ListPolicyVersions',
    defineAction({
      parameters: { PolicyArn: required(policyArnText), ...pageParameters },
      effect: 'read',
      permissions: ({ PolicyArn }) => on('ListPolicyVersions', PolicyArn),
      run: ({ PolicyArn, ...range }, { admin }) => {
        const policy = findPolicy(admin, PolicyArn)
        return page('Versions', policy.versions, byNumber, range, (version) =>
          policyVersionElement(policy, version),
        )
      },
    }),
  ],
  [
    'SetDefaultPolicyVersion',
    defineAction({
      parameters: { PolicyArn: required(policyArnText), VersionId: required(text) },
      effect: 'change',
      permissions: ({ PolicyArn }) => on('SetDefaultPolicyVersion', PolicyArn),
      run: async ({ PolicyArn, VersionId }, { admin }) => {
        await admin.setDefaultPolicyVersion(findPolicy(admin, PolicyArn).name, VersionId)
        return {}
      },
    }),
  ],
  [
    'DeletePolicyVersion',
    defineAction({
      parameters: { PolicyArn: required(policyArnText), VersionId: required(text) },
      effect: 'change',
      permissions: ({ PolicyArn }) => on('DeletePolicyVersion', PolicyArn),
      run: async ({ PolicyArn, VersionId }, { admin }) => {
        await admin.deletePolicyVersion(findPolicy(admin, PolicyArn).name, VersionId)
        return {}
      },
    }),
  ],
]

function inScope(policy: StoredPolicy, scope: 'All' | 'AWS' | 'Local'): boolean {
  return scope === 'All' || (scope === 'AWS') === (policy.managedBy === 'built-in')
}

/** So that v10 comes after v9. */
function byNumber({ id }: PolicyVersion): string {
  return id.slice(1).padStart(12, '0')
}

/** A policy whose stored document cannot be read has no text to show. */
function documentOf(policy: StoredPolicy, { text: document }: PolicyVersion): string {
  if (document !== '') return document
  return absent(`document of "${policy.name}": it is broken`)
}
