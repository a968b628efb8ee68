import type { LdapSubject } from '../admin/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { attachedArn, attachedName, findPolicy } from './arn.ts'
import { attachedElement } from './elements.ts'
import { directoryOf, directorySubject, isOfDirectory, subjectTag } from './directory-subjects.ts'
import { IamError } from './iam-error.ts'
import { page, pageParameters } from './page.ts'
import { oneOf, optional, policyArnText, required, text } from './parameter.ts'
import type { ActionContext, Permission } from './types.ts'

const subject = {
  PrincipalKind: required(oneOf('ldap-user', 'ldap-group')),
  PrincipalName: required(text),
  Directory: optional(text),
}

/** Ours: policies of users and groups of a directory service, by distinguished name. */
export const ldapActions: readonly (readonly [string, Action])[] = [
  [
    'AttachPrincipalPolicy',
    defineAction({
      parameters: { ...subject, PolicyArn: required(policyArnText) },
      effect: 'change',
      permissions: ({ PolicyArn }) => onPrincipals('AttachPrincipalPolicy', PolicyArn),
      run: async ({ PolicyArn, ...given }, context) => {
        const { name } = findPolicy(context.admin, PolicyArn)
        const subject = directorySubject(given, context)
        demandConfigured(subject, context)
        await context.admin.attachPrincipalPolicy(subject, name)
        return {}
      },
    }),
  ],
  [
    'DetachPrincipalPolicy',
    defineAction({
      parameters: { ...subject, PolicyArn: required(policyArnText) },
      effect: 'change',
      permissions: ({ PolicyArn }) => onPrincipals('DetachPrincipalPolicy', PolicyArn),
      run: async ({ PolicyArn, ...given }, context) => {
        const name = attachedName(context.admin, PolicyArn)
        await context.admin.detachPrincipalPolicy(directorySubject(given, context), name)
        return {}
      },
    }),
  ],
  [
    'ListPrincipalPolicies',
    defineAction({
      parameters: { ...subject, ...pageParameters },
      effect: 'read',
      permissions: () => onPrincipals('ListPrincipalPolicies'),
      run: ({ PrincipalKind, PrincipalName, Directory, ...range }, context) =>
        page(
          'AttachedPolicies',
          context.admin.policiesAttachedTo(
            directorySubject({ PrincipalKind, PrincipalName, Directory }, context),
          ),
          ({ name }) => name,
          range,
          ({ name }) => attachedElement(context.admin, name),
        ),
    }),
  ],
  [
    'ListPrincipalAttachments',
    defineAction({
      parameters: pageParameters,
      effect: 'read',
      permissions: () => onPrincipals('ListPrincipalPolicies'),
      run: (range, { admin, directories }) =>
        page(
          'Attachments',
          admin
            .listAttachments()
            .flatMap(({ subject: each, policy }) =>
              isOfDirectory(each) ? [{ subject: each, policy }] : [],
            ),
          ({ subject: each, policy }) => `${subjectTag(each)} ${policy}`,
          range,
          ({ subject: each, policy }) => ({
            PrincipalKind: each.kind,
            PrincipalName: each.name,
            Directory: directoryOf(each, directories),
            PolicyName: policy,
            PolicyArn: attachedArn(admin, policy),
          }),
        ),
    }),
  ],
]

function onPrincipals(action: string, policyArn?: string): readonly Permission[] {
  const about = policyArn === undefined ? {} : { about: { policyArn } }
  return [{ action: `admin:${action}`, resource: '*', ...about }]
}

/** Two directories may have people of one name; what may be attached to has to be configured. */
function demandConfigured({ directory = '' }: LdapSubject, { directories }: ActionContext): void {
  const names = directories?.names ?? []
  if (names.includes(directory)) return
  throw new IamError(
    'invalid_parameter',
    `Directory: there is no directory named "${directory.slice(0, 64)}"; there are: ${names.join(', ')}`,
  )
}
