import type { Secret } from '../secret.ts'

/** What a caller presents. Untrusted. */
export type Evidence =
  | Readonly<{
      kind: 'web-identity'
      token: Secret
      /** For providers that merge userinfo claims (`WebIdentityAccessToken`). */
      accessToken?: Secret
      /** Name of the provider that the caller chose by role ARN; absent: the claim-based providers are tried by `iss`. */
      provider?: string
      /**
       * The caller named a role of ours, and these are the providers that its trust policy lets in, as they stand there.
       * Of those made through the IAM API the named ones are tried by `iss`, then all configured ones of either mode.
       */
      trustedProviders?: readonly string[]
    }>
  /** A login name and password, to be judged by the configured directory. */
  | Readonly<{
      kind: 'ldap'
      username: string
      password: Secret
      /** Address of the client, for throttling. */
      source: string
    }>
  /** The certificates that a client presented in its TLS handshake: DER, the leaf first. */
  | Readonly<{ kind: 'certificate'; chain: readonly Buffer[] }>
  /** A token that only the configured webhook understands (MinIO's identity plugin). */
  | Readonly<{ kind: 'custom-token'; token: Secret; roleArn: string }>
  /** The token of a Kubernetes service account, to be judged by the cluster that issued it. */
  | Readonly<{ kind: 'service-account'; token: Secret }>
  /** A request already proven by SigV4 (`access.ts`): who signed it. */
  | Readonly<{ kind: 'signature'; signer: Signer }>

/** The long-lived key behind a verified signature. */
export type Signer =
  | Readonly<{ kind: 'root'; accessKeyId: string }>
  | Readonly<{ kind: 'user'; accessKeyId: string; user: string }>

declare const verified: unique symbol // not exported from the room: only its verifiers make a Principal

export type PrincipalKind =
  | 'root'
  | 'user'
  | 'web-identity'
  | 'ldap'
  | 'certificate'
  | 'custom-token'
  | 'service-account'

/** Who the evidence proved. No permissions in it. */
export type Principal = Readonly<{
  kind: PrincipalKind
  /** Name of the configured provider or of the cluster, ARN of one made through the IAM API, or `internal` for root and users. */
  provider: string
  /** `iss` of the token; for root and users the tenant's own name. */
  issuer: string
  subject: string
  /** For people and for `aws:userid`-like places: preferred_username, email or subject. */
  displayName: string
  groups: readonly string[]
  /** Claims of the verified token (and userinfo); empty for root and users. */
  claims: ReadonlyMap<string, unknown>
  /** Token id, when the token has one. */
  jti?: string
  /** The proof is good for one exchange: whoever issues on it has to use up its `jti`, which is there. */
  oneTime?: true
  /** When the proof itself ends; credentials from it end no later. Absent for keys. */
  expiresAt?: Date
  [verified]: true
}>

export interface Verifier {
  /** `undefined`: this evidence is not mine to judge. Throws an IdentityError when it is mine and bad. */
  verify(evidence: Evidence, now: Date): Promise<Principal | undefined>
}

export type IdentityErrorCode =
  | 'token_malformed' // not a JWT, bad base64url, header or claims not as RFC 7519 says
  | 'token_algorithm' // none, HS*, or not allowed for the provider, or not fitting the key
  | 'token_signature' // no key verifies it
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'token_issuer' // no configured provider has this issuer
  | 'token_audience' // neither aud nor azp fits
  | 'token_claims' // sub missing, exp missing, …
  | 'provider_unavailable' // discovery, keys or userinfo could not be fetched
  | 'userinfo_rejected' // access token missing or refused, or sub differs
  | 'login_refused' // LDAP: unknown user, ambiguous user, wrong password: one code, one message
  | 'throttled' // too many failed logins from this source or under this name; detail.retryAfterSeconds
  | 'certificate_missing' // no client certificate in the handshake
  | 'certificate_refused' // chain, validity, usage, revocation or mapping do not hold
  | 'too_many_certificates' // more intermediates than we follow
  | 'custom_token_refused' // the webhook says no
  | 'cluster_unavailable' // the Kubernetes API server did not answer; detail.retryAfterSeconds
  | 'no_provider' // web identity is not configured, or the named provider does not exist
