/**
 * Owns: the judgement whether evidence proves who somebody is. Takes Evidence (an OpenID token, a request whose SigV4
 * signature is proven), gives a Principal or throws an IdentityError. Asks configured identity providers for their keys,
 * and for userinfo where told to. Never decides what anybody may do, keeps no token, knows no face and no session.
 */
export type * from './types.ts'
export { IdentityError } from './identity-error.ts'
export { createAccessKeyVerifier } from './access-key-verifier.ts'
export { combineVerifiers } from './combine-verifiers.ts'
export { createOpenIdVerifier, type OpenIdVerifier } from './openid-verifier.ts'
export type { OpenIdProvider } from './provider-settings.ts'
export type { RegisteredOpenIdProviders } from './registered-providers.ts'
export type { IdentityEvent } from './provider-keys.ts'
export { createFetchText, type FetchText } from './fetch-text.ts'
export {
  createCertificateVerifier,
  type CertificateSettings,
  type CertificateVerifier,
} from './certificate/certificate-verifier.ts'
export type { CertificateMapping, CertificateRule } from './certificate/rules.ts'
export {
  createClientChainReader,
  type CertificateProxy,
  type ReadClientChain,
} from './certificate/client-chain.ts'
export {
  createCustomTokenVerifier,
  type CustomTokenVerifier,
} from './custom-token/custom-token-verifier.ts'
export {
  createServiceAccountVerifier,
  type ServiceAccountVerifier,
} from './service-account/service-account-verifier.ts'
export type { Cluster, TokenReview, TokenReviewer } from './service-account/settings.ts'
export { pluginRoleArn } from './custom-token/role-arn.ts'
export type { CustomTokenSettings } from './custom-token/settings.ts'
export {
  createLdapVerifier,
  type LdapName,
  type LdapOptions,
  type LdapPresence,
  type LdapVerifier,
} from './ldap/ldap-verifier.ts'
export type { DirectoryStatus, LdapEvent } from './ldap/directory.ts'
export type { LdapDirectory } from './ldap/settings.ts'
export { Attendance } from './ldap/attendance.ts'
export { createDepartures } from './ldap/departures.ts'
export { createLdapHomes } from './ldap/homes.ts'
export { normaliseDn } from './ldap/dn.ts'
export type { ThrottleSettings } from './ldap/login-throttle.ts'
