import type { Access, KnownCaller } from '../access/index.ts'
import type { Exchange } from '../exchange.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import type { Parameters } from './parameters.ts'

/** Whose error codes are sent: AWS's finer ones, or the few that MinIO's server sends. */
export type Compat = 'aws' | 'minio'

export type StsLimits = Readonly<{
  maxBodyBytes: number
  /** From the first byte waited for to the last. */
  bodyTimeoutMs: number
}>

export type StsFaceOptions = Readonly<{
  exchange: Exchange
  access: Pick<Access, 'authenticate' | 'authorize'>
  /** What a sealed denial says, as JSON can hold it. Throws when the text is not one of ours. */
  openDenial: (encodedMessage: string) => unknown
  /**
   * The certificates that a client presented, DER, the leaf first; `undefined`: the connection has no room for one.
   * Absent: client certificates are no way in.
   */
  clientChain?: ((request: HttpRequest) => readonly Buffer[] | undefined) | undefined
  limits: StsLimits
  compat: Compat
  /** Told of each answer. Must neither block nor throw. */
  log: (event: StsEvent) => void
  /** Sent as `x-amz-bucket-region` when there is one. */
  region?: string | undefined
}>

export type StsEvent = Readonly<{
  requestId: string
  action?: string | undefined
  status: number
  /** Wire code of a refusal. */
  code?: string
  /** What the caller is not told of a refused exchange: whose certificate, which provider, why. */
  detail?: Readonly<Record<string, unknown>>
  /** What went wrong in our own house. Not for the caller. */
  error?: unknown
}>

export interface StsFace {
  /** Whether this is for STS by its method, content type and query; whether the path is a bucket's is not asked. */
  accepts(request: Pick<HttpRequest, 'method' | 'query' | 'headers'>): boolean
  /** Always answers; never throws. */
  handle(request: HttpRequest): Promise<HttpResponse>
}

/** A well-formed call, and who signed it. */
export type Call = Readonly<{
  request: HttpRequest
  action: StsAction
  parameters: Parameters
  caller: KnownCaller
}>

export type StsAction =
  | 'AssumeRole'
  | 'AssumeRoleWithWebIdentity'
  | 'AssumeRoleWithClientGrants'
  | 'AssumeRoleWithLDAPIdentity'
  | 'AssumeRoleWithCertificate'
  | 'AssumeRoleWithCustomToken'
  | 'GetSessionToken'
  | 'GetFederationToken'
  | 'GetAccessKeyInfo'
  | 'GetCallerIdentity'
  | 'DecodeAuthorizationMessage'

export type StsErrorCode =
  | 'malformed_form' // bad percent-encoding or UTF-8, doubled parameter, body hash that does not fit
  | 'body_too_large'
  | 'body_too_slow'
  | 'body_incomplete'
  | 'missing_version'
  | 'missing_action'
  | 'unknown_action'
  | 'missing_parameter'
  | 'invalid_value'
  | 'missing_login' // LDAPUsername or LDAPPassword
  | 'login_not_enabled' // no directory is configured
  | 'proof_not_enabled' // neither client certificates nor custom tokens are a way in
  | 'malformed_tenant' // a path that names no tenant
  | 'method_not_allowed'
  | 'insecure_connection' // a client certificate without TLS
  | 'missing_authentication'
  | 'malformed_message' // DecodeAuthorizationMessage of a text that we did not seal
