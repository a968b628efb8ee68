import { hash } from 'node:crypto'
import { BoundedCache } from '../../bounded-cache.ts'
import type { Secret } from '../../secret.ts'
import { checkClaims, wrongIssuer, type CheckedClaims } from '../claims.ts'
import { IdentityError } from '../identity-error.ts'
import { parseToken, type UnprovenToken } from '../jws.ts'
import { mint } from '../principal.ts'
import { ProviderKeys, type IdentityEvent, type ProviderKeysStatus } from '../provider-keys.ts'
import { parseProvider, type ProviderSettings } from '../provider-settings.ts'
import type { Principal, Verifier } from '../types.ts'
import { claimsToBeVouchedFor, verifyToken } from '../verify-token.ts'
import { factsOfClaims, factsOfReview, namespaceOf, type PodFacts } from './facts.ts'
import { parseServiceAccount } from './names.ts'
import type { Cluster, TokenReview, TokenReviewer } from './settings.ts'

type Options = Readonly<{
  clusters: readonly Cluster[]
  clock: () => Date
  log?: ((event: IdentityEvent) => void) | undefined
}>

type ClusterStatus = ProviderKeysStatus & Readonly<{ provider: string; issuer?: string }>

export interface ServiceAccountVerifier extends Verifier {
  status(): readonly ClusterStatus[]
  /** Begins to fetch keys in the background, ahead of need, until `close`. Needs no cluster to be there. */
  start(): void
  close(): void
}

type Known = Readonly<{ settings: Cluster; provider: ProviderSettings; keys: ProviderKeys }>
type Proven = Readonly<{ principal: Principal; at: number }>
type Refused = Readonly<{ cluster: string; at: number }>

const remembered = 10_000
/** Fewer, and apart: no token that is refused pushes out one that is good. */
const rememberedRefusals = 1000
/** Reviews under way at one time, for all callers: an API server that hangs does not fill our memory. */
const mostReviews = 128

/**
 * Verifies the tokens of Kubernetes service accounts (`system:serviceaccount:NAMESPACE:NAME`), each by the cluster whose
 * issuer it names. The audience is demanded of the API server, compared in its answer, and looked for in the token. An
 * answer counts for `cacheSeconds`, a token that is asked about is asked about once at a time, and an API server that is
 * away is a refusal (`cluster_unavailable`), never an acceptance.
 * @throws {TypeError} when a cluster's settings make no sense or two share a name
 */
export function createServiceAccountVerifier(options: Options): ServiceAccountVerifier {
  const { clock, log = () => undefined } = options
  const clusters = options.clusters.map((settings): Known => {
    const provider = checkSettings(settings)
    return {
      settings,
      provider,
      keys: new ProviderKeys(provider, { fetch: settings.fetch, clock, log }),
    }
  })
  if (new Set(clusters.map(({ settings }) => settings.name)).size < clusters.length) {
    throw new TypeError('two clusters share a name')
  }
  const withKeys = clusters.filter(({ settings }) => settings.mode !== 'tokenReview')
  const refresh = () => withKeys.forEach(({ keys }) => keys.refreshWhenDue())
  const desk = new Desk(clusters)
  let timer: NodeJS.Timeout | undefined
  return {
    async verify(evidence, now) {
      return evidence.kind === 'service-account' ? desk.verify(evidence.token, now) : undefined
    },
    status: () => withKeys.map(statusOf),
    start() {
      refresh()
      timer ??= setInterval(refresh, 1000).unref()
    },
    close() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

function checkSettings(cluster: Cluster): ProviderSettings {
  const { name, audiences, mode, issuer, configUrl, reviewer, cacheSeconds } = cluster
  const [audience] = audiences
  if (audience === undefined)
    throw new TypeError(`cluster ${name}: at least one audience is needed`)
  if (mode !== 'jwks' && reviewer === undefined) {
    throw new TypeError(`cluster ${name}: mode ${mode} needs access to its API server`)
  }
  if (!(cacheSeconds >= 0 && cacheSeconds <= 60)) {
    throw new TypeError(`cluster ${name}: cacheSeconds is not between 0 and 60`)
  }
  const provider = parseProvider({
    name,
    configUrl,
    issuer,
    clientId: audience,
    audiences,
    mode: { kind: 'claim' },
  })
  return { ...provider, ownWord: issuer === undefined }
}

function statusOf({ settings, keys }: Known): ClusterStatus {
  const issuer = settings.issuer ?? keys.issuer
  return { provider: settings.name, ...(issuer !== undefined && { issuer }), ...keys.status() }
}

/** Remembers what was proven a moment ago, and asks nothing twice at once. */
class Desk {
  readonly #clusters: readonly Known[]
  readonly #proven = new BoundedCache<Proven>(remembered)
  /** Tokens that are signed and in time, and of a pod that is gone: they can come again and again. */
  readonly #refused = new BoundedCache<Refused>(rememberedRefusals)
  readonly #underWay = new Map<string, Promise<Principal>>()
  #reviews = 0

  constructor(clusters: readonly Known[]) {
    this.#clusters = clusters
  }

  async verify(secret: Secret, now: Date): Promise<Principal> {
    const text = secret.reveal()
    const token = parseToken(text)
    const id = hash('sha256', text, 'base64')
    const known = this.#recall(id, now)
    if (known) return known
    if (this.#isRefused(id, now)) throw notVouchedFor()
    const underWay = this.#underWay.get(id)
    if (underWay) return underWay
    const judging = this.#judge(secret, token, now)
    this.#underWay.set(id, judging)
    try {
      const principal = await judging
      this.#proven.set(id, { principal, at: now.getTime() })
      return principal
    } catch (error) {
      const cluster = error instanceof IdentityError && error.detail['refusedBy']
      if (typeof cluster === 'string') this.#refused.set(id, { cluster, at: now.getTime() })
      throw error
    } finally {
      this.#underWay.delete(id)
    }
  }

  #isRefused(id: string, now: Date): boolean {
    const refused = this.#refused.get(id)
    if (refused === undefined) return false
    if (Math.abs(now.getTime() - refused.at) < this.#cacheMs(refused.cluster)) return true
    this.#refused.delete(id)
    return false
  }

  #cacheMs(name: string): number {
    const cluster = this.#clusters.find(({ settings }) => settings.name === name)
    return (cluster?.settings.cacheSeconds ?? 0) * 1000
  }

  #recall(id: string, now: Date): Principal | undefined {
    const proven = this.#proven.get(id)
    if (proven === undefined) return undefined
    const { principal, at } = proven
    const age = Math.abs(now.getTime() - at)
    const lives = (principal.expiresAt?.getTime() ?? 0) > now.getTime()
    if (lives && age < this.#cacheMs(principal.provider)) return principal
    this.#proven.delete(id)
    return undefined
  }

  /**
   * Clusters that were installed alike share the text of their issuer, and their keys tell them apart. So each cluster of
   * that issuer is tried; that one of them is away is the answer only when no other one vouches for the token. A token is
   * shown to no cluster that merely claims to have signed it: whoever sees it could use it.
   */
  async #judge(secret: Secret, token: UnprovenToken, now: Date): Promise<Principal> {
    const { iss } = token.unproven
    if (typeof iss !== 'string')
      throw new IdentityError('token_claims', 'The token has no claim iss')
    const refusals: IdentityError[] = []
    for (const cluster of this.#clusters) {
      const claims = await claimsFor(cluster, iss, token, now).catch(refusedIn(refusals))
      if (claims === undefined || (this.#mayBeHome(refusals) && asksServer(cluster))) continue
      const { mode } = cluster.settings
      if (mode === 'both') await this.#demandOneSigner(cluster, iss, token, now)
      const principal = this.#vouch(cluster.settings, secret, claims)
      // With keys, it is this cluster's token, and nobody else is asked about it.
      if (mode !== 'tokenReview') return principal
      const vouched = await principal.catch(refusedIn(refusals))
      if (vouched) return vouched
    }
    throw (
      refusals.find(({ code }) => code === 'cluster_unavailable') ?? refusals[0] ?? wrongIssuer()
    )
  }

  /** The first cluster is our own. While it cannot say whether a token is one of its own, it may be. */
  #mayBeHome(refusals: readonly IdentityError[]): boolean {
    const home = this.#clusters[0]?.settings.name
    return refusals.some(
      ({ code, detail }) => code === 'cluster_unavailable' && detail['cluster'] === home,
    )
  }

  /** Keys are public: a cluster that publishes those of a later one would be shown its tokens. Our own stands above that. */
  async #demandOneSigner(
    cluster: Known,
    iss: string,
    token: UnprovenToken,
    now: Date,
  ): Promise<void> {
    const at = this.#clusters.indexOf(cluster)
    if (at === 0) return
    for (const other of this.#clusters.slice(at + 1)) {
      if (other.settings.mode === 'tokenReview') continue
      const claims = await claimsFor(other, iss, token, now).catch(refusedIn([]))
      if (claims === undefined) continue
      const names = [cluster, other].map(({ settings }) => JSON.stringify(settings.name)).join(', ')
      const message = `Clusters ${names} publish the same issuer and key, so nobody can tell whose the token is`
      throw new IdentityError('token_signature', message)
    }
  }

  async #vouch(settings: Cluster, secret: Secret, claims: CheckedClaims): Promise<Principal> {
    if (settings.mode === 'jwks' || settings.reviewer === undefined) {
      return principalOf(settings, claims, factsOfClaims(claims.claims), [])
    }
    const review = await this.#review(settings.reviewer, settings, secret)
    checkReview(review, claims, settings)
    const facts = { ...factsOfClaims(claims.claims), ...factsOfReview(review) }
    return principalOf(settings, claims, facts, review.groups)
  }

  async #review(reviewer: TokenReviewer, cluster: Cluster, secret: Secret): Promise<TokenReview> {
    if (this.#reviews >= mostReviews) throw unavailable(cluster, 'too many reviews are under way')
    this.#reviews += 1
    try {
      return await reviewer.review(secret, cluster.audiences)
    } catch (cause) {
      throw unavailable(cluster, cause instanceof Error ? cause.message : 'failed', cause)
    } finally {
      this.#reviews -= 1
    }
  }
}

/** `undefined`: of another issuer. Without keys, what the token says of itself. */
async function claimsFor(
  cluster: Known,
  iss: string,
  token: UnprovenToken,
  now: Date,
): Promise<CheckedClaims | undefined> {
  return (await speaksFor(cluster, iss)) ? judgeHere(cluster, token, now) : undefined
}

function refusedIn(refusals: IdentityError[]): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof IdentityError)) throw error
    refusals.push(error)
  }
}

function asksServer({ settings }: Known): boolean {
  return settings.mode !== 'jwks'
}

async function speaksFor({ settings, keys }: Known, iss: string): Promise<boolean> {
  if (settings.issuer !== undefined) return settings.issuer === iss
  // Only its own API server can say, and is asked.
  if (settings.mode === 'tokenReview') return true
  return (await current(settings, keys)).discovery.issuer === iss
}

async function current(settings: Cluster, keys: ProviderKeys) {
  try {
    return await keys.current()
  } catch (error) {
    throw asUnavailable(settings, error)
  }
}

async function judgeHere(
  { settings, provider, keys }: Known,
  token: UnprovenToken,
  now: Date,
): Promise<CheckedClaims> {
  if (settings.mode === 'tokenReview') {
    const issuer = settings.issuer ?? String(token.unproven.iss)
    return check(claimsToBeVouchedFor(token), { ...provider, issuer }, settings, now)
  }
  const { discovery } = await current(settings, keys)
  const signed = await verifyToken(token, await findKey(settings, keys, token))
  return check(signed, { ...provider, issuer: discovery.issuer }, settings, now)
}

/** Who projects a token for the wrong audience is told the right one: it is no secret. */
function check(
  signed: Parameters<typeof checkClaims>[0],
  expected: Parameters<typeof checkClaims>[1],
  cluster: Cluster,
  now: Date,
): CheckedClaims {
  try {
    return checkClaims(signed, expected, now)
  } catch (error) {
    const isForOthers = error instanceof IdentityError && error.code === 'token_audience'
    throw isForOthers ? wrongAudience(cluster) : error
  }
}

function wrongAudience({ audiences }: Cluster): IdentityError {
  const wanted = audiences.slice(0, 5).join(' or ')
  const message = `The token is meant for another audience; project one with audience ${wanted}`
  return new IdentityError('token_audience', message)
}

async function findKey(settings: Cluster, keys: ProviderKeys, token: UnprovenToken) {
  try {
    return await keys.find(token.header)
  } catch (error) {
    throw asUnavailable(settings, error)
  }
}

/** Nothing that is absent counts: the API server leaves `authenticated` out when it means no. */
function checkReview(review: TokenReview, claims: CheckedClaims, cluster: Cluster): void {
  const { name, audiences } = cluster
  if (!review.authenticated) throw notVouchedFor({ refusedBy: name })
  if (!review.audiences.some((audience) => audiences.includes(audience))) {
    throw wrongAudience(cluster)
  }
  if (review.username !== claims.subject) {
    throw new IdentityError('token_claims', 'The token and its cluster name two subjects')
  }
}

function principalOf(
  { name: cluster }: Cluster,
  { issuer, subject, expiresAt, claims }: CheckedClaims,
  facts: PodFacts,
  groups: readonly string[],
): Principal {
  const { namespace, name } = parseServiceAccount(subject)
  const stated = namespaceOf(claims)
  if (stated !== undefined && stated !== namespace) {
    throw new IdentityError('token_claims', 'The token names two namespaces')
  }
  const { jti } = claims
  return mint({
    kind: 'service-account',
    provider: cluster,
    issuer,
    subject,
    displayName: `${namespace}/${name}`,
    groups: groups.filter((group) => isGroupOf(group, namespace)),
    // What we say of it comes last: no claim of the token can pass for it.
    claims: new Map<string, unknown>([
      ...Object.entries(claims),
      ['namespace', namespace],
      ['serviceaccount', name],
      ['cluster', cluster],
      ...factNames.map((fact) => [fact, facts[fact]] as const),
    ]),
    ...(typeof jti === 'string' && jti !== '' && { jti }),
    expiresAt,
  })
}

function notVouchedFor(detail: Readonly<{ refusedBy?: string }> = {}): IdentityError {
  return new IdentityError(
    'token_signature',
    'The cluster does not vouch for the token; it may be over, or of a pod that is gone',
    { detail },
  )
}

/** Kubernetes, authentication: the groups of a service account. A cluster has no other ones to give: not those of people. */
function isGroupOf(group: string, namespace: string): boolean {
  const all = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
  return [...all, 'system:authenticated'].includes(group)
}

const factNames = ['pod', 'pod_uid', 'node', 'serviceaccount_uid'] as const

function asUnavailable(cluster: Cluster, error: unknown): unknown {
  const away = error instanceof IdentityError && error.code === 'provider_unavailable'
  return away ? unavailable(cluster, 'its keys cannot be fetched', error) : error
}

function unavailable({ name }: Cluster, reason: string, cause?: unknown): IdentityError {
  return new IdentityError(
    'cluster_unavailable',
    `The API server of cluster ${JSON.stringify(name)} cannot be asked just now; try again`,
    { detail: { cluster: name, reason, retryAfterSeconds: 2 }, cause },
  )
}
