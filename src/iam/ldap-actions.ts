import type { LdapSubject } from '../admin/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { attachedArn, attachedName, findPolicy } from './arn.ts'
import { attachedElement } from './elements.ts'
import { IamError } from './iam-error.ts'
import { page, pageParameters } from './page.ts'
import { oneOf, policyArnText, required, text } from './parameter.ts'
import type { ActionContext, Permission } from './types.ts'

const subject = {
  PrincipalKind: required(oneOf('ldap-user', 'ldap-group')),
  PrincipalName: required(text),
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
        await context.admin.attachPrincipalPolicy(named(given, context), name)
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
        await context.admin.detachPrincipalPolicy(named(given, context), name)
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
      run: ({ PrincipalKind, PrincipalName, ...range }, context) =>
        page(
          'AttachedPolicies',
          context.admin.policiesAttachedTo(named({ PrincipalKind, PrincipalName }, context)),
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
      run: (range, { admin }) =>
        page(
          'Attachments',
          admin.listAttachments().filter(({ subject: { kind } }) => kind.startsWith('ldap-')),
          ({ subject: { kind, name }, policy }) => `${kind} ${name} ${policy}`,
          range,
          ({ subject: { kind, name }, policy }) => ({
            PrincipalKind: kind,
            PrincipalName: name,
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

/** Two spellings of one name are one name, for otherwise a Deny could be written past the person that it is for. */
function named(
  given: Readonly<{ PrincipalKind: LdapSubject['kind']; PrincipalName: string }>,
  { normaliseDn }: ActionContext,
): LdapSubject {
  if (!normaliseDn) {
    throw new IamError('not_supported', 'This server knows no names of a directory service')
  }
  try {
    return { kind: given.PrincipalKind, name: normaliseDn(given.PrincipalName) }
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new IamError('invalid_parameter', `PrincipalName: ${cause.message}`, { cause })
  }
}
