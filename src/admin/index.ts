/**
 * The one administration model: users, their access keys, named policies and what is attached to whom.
 * Takes the state store, the vault for secrets and what the configuration file declares; gives a directory that is
 * read without waiting, and changes that are durable when they return. Never decides who may change what: faces do.
 */
export { openAdministration } from './administration.ts'
export type { AdministrationOptions, Overlay } from './administration.ts'
export { AdminError } from './admin-error.ts'
export { checkAccessKey, checkPolicyName, checkUserName } from './names.ts'
export type * from './types.ts'
