import type { Directory, Tags } from '../admin/index.ts'
import type { IamFacts } from '../policy/index.ts'
import { attachedArn, findPolicyOfArn } from './arn.ts'
import type { IamAccess, Permission } from './types.ts'

/**
 * A permission with everything that conditions may ask about it: what the call says, and what is known of the thing that
 * it is about. Without these a Deny by `iam:PolicyARN` or `aws:TagKeys` would never bite.
 */
export function iamAccess(
  admin: Directory,
  { action, resource, about = {} }: Permission,
): IamAccess {
  const { isNew, policyArn, permissionsBoundary, tags, tagKeys } = about
  const known = isNew === true ? undefined : thingOf(admin, resource)
  const boundary = permissionsBoundary ?? known?.boundary
  const iam: IamFacts = {
    ...(policyArn !== undefined && { PolicyARN: policyArn }),
    ...(boundary !== undefined && { PermissionsBoundary: boundary }),
    ...(tags && { requestTags: tags }),
    ...(tagKeys && { tagKeys }),
    ...(known?.tags && { resourceTags: known.tags }),
  }
  return { action, resource, iam }
}

type Thing = Readonly<{ tags?: Tags | undefined; boundary?: string | undefined }>

const shape = /^arn:aws:iam::(?:000000000000|aws):(user|role|policy|oidc-provider)\/(.+)$/s

function thingOf(admin: Directory, resource: string): Thing | undefined {
  const [, kind = '', name = ''] = shape.exec(resource) ?? []
  switch (kind) {
    case 'user':
      return bounded(admin, admin.findUser(name))
    case 'role':
      return bounded(admin, admin.findRole(name))
    case 'policy':
      return { tags: findPolicyOfArn(admin, resource)?.tags }
    case 'oidc-provider':
      return { tags: admin.findProvider(resource)?.tags }
    default:
      return undefined
  }
}

function bounded(
  admin: Directory,
  holder: Readonly<{ tags: Tags; permissionsBoundary?: string }> | undefined,
): Thing | undefined {
  if (holder === undefined) return undefined
  const { tags, permissionsBoundary: policy } = holder
  return { tags, boundary: policy === undefined ? undefined : attachedArn(admin, policy) }
}
