/**
 * The one administration model: users, their access keys, groups, roles, named policies with their versions, OpenID
 * Connect providers, and what is attached to whom. Takes the state store, the vault for secrets and what the configuration
 * file declares; gives a directory that is read without waiting, and changes that are durable when they return. Never
 * decides who may change what: faces do.
 */
export { openAdministration } from './administration.ts'
export { AdminError } from './admin-error.ts'
export {
  checkAccessKey,
  checkGroupName,
  checkPolicyName,
  checkRoleName,
  checkTags,
  checkUserName,
} from './names.ts'
export { ownNameOfInline } from './entities.ts'
export type { AdministrationOptions } from './options.ts'
export type * from './overlay.ts'
export type * from './types.ts'
