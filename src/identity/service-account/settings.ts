import type { Secret } from '../../secret.ts'
import type { FetchText } from '../fetch-text.ts'

/** A cluster whose service accounts are believed, and how it is asked. */
export type Cluster = Readonly<{
  /** What principals and bindings call it; unique. */
  name: string
  /** Any one of them must be in `aud`. Never empty. */
  audiences: readonly string[]
  /**
   * `tokenReview`: the API server judges each token. `jwks`: its published keys do, so a deleted pod's token lives on to
   * its end. `both`: the keys first, so that garbage never reaches the API server, and then the API server.
   */
  mode: 'tokenReview' | 'jwks' | 'both'
  /** The exact `iss` of its tokens. Absent: as its discovery document says, which is then its own word. */
  issuer?: string | undefined
  /** The discovery document. */
  configUrl: string
  /** Fetches from the cluster, whatever it asks for by way of authentication. */
  fetch: FetchText
  /** Needed but for `jwks`. */
  reviewer?: TokenReviewer | undefined
  /** How long the answer about a token counts, in seconds: 0 to 60. */
  cacheSeconds: number
}>

/** The port to a cluster's TokenReview API (`authentication.k8s.io/v1`). */
export interface TokenReviewer {
  /** Rejects when the API server does not answer, or not with a review. */
  review(token: Secret, audiences: readonly string[]): Promise<TokenReview>
}

/** The status of a review. What the API server left out is empty, and says no. */
export type TokenReview = Readonly<{
  authenticated: boolean
  audiences: readonly string[]
  username: string
  uid: string
  groups: readonly string[]
  /** By key, such as `authentication.kubernetes.io/pod-name`. */
  extra: ReadonlyMap<string, readonly string[]>
}>
