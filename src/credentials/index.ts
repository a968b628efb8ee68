/**
 * Owns what leaves the house and how it is known again: sealed sessions, the key ring that seals them, revocation,
 * sealed messages, and the vault for secrets at rest.
 * Takes a Grant, gives Credentials; takes an access key id and a session token, gives the Session.
 * Never writes per session, never decides what a session may do, never hands out a raw key.
 */
export { CredentialsError } from './credentials-error.ts'
export { openKeyRing, type KeyRing, type KeyRingOptions } from './key-ring.ts'
export { loadMasterKey, type MasterKey, type MasterKeyOptions } from './master-key.ts'
export { createMessageSealer, type MessageSealer, type MessageSealerOptions } from './messages.ts'
export { openRevocations, type Revocations, type RevocationsOptions } from './revocations.ts'
export { rememberRingKeys } from './remember-ring-keys.ts'
export { issueShared } from './seal-shared.ts'
export { openSharedKeyFolder, withSharedKeys, type SharedKeyFolder } from './shared-key-folder.ts'
export { parseSharedKeys } from './shared-keys.ts'
export { principalKey } from './session-keys.ts'
export { createSessions, type Sessions, type SessionsOptions } from './sessions.ts'
export type * from './types.ts'
export { createVault, type Vault } from './vault.ts'
