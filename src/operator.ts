/**
 * Wiring of `daypass operator`, and nothing but wiring: the cluster is the ground, the core decides over what it says, the
 * faces are the STS of its tenants, admission and operations.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { pino } from 'pino'
import type { Logger } from 'pino'
import { boundRefusals, createStreamAuditLog, openAuditLog, type AuditLog } from './audit.ts'
import { loadOperatorConfig } from './config/index.ts'
import type { OperatorConfig, OperatorConfigSource } from './config/index.ts'
import { createExchange, ExchangeError } from './exchange.ts'
import { createTenantGrants, type Grant } from './grants/index.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import {
  combineVerifiers,
  createFetchText,
  createServiceAccountVerifier,
  IdentityError,
} from './identity/index.ts'
import type { Cluster as IdentityCluster, Evidence } from './identity/index.ts'
import {
  ClusterDirectory,
  Departures,
  createIssuerFetch,
  createKeyReader,
  createMinioAuthorities,
  createReach,
  createTokenReviewer,
  createWebhookFace,
  fullName,
  openCluster,
  openClusterApi,
  openLease,
  openServingCertificate,
  openSessionEnder,
  openStatusWriter,
} from './kubernetes/index.ts'
import type { Cluster, ClusterApi, SessionEnder, StatusWriter } from './kubernetes/index.ts'
import { createRateLimiter, listen, pacedBody } from './listener/index.ts'
import { createOperationsFace, createOperatorMetrics } from './operations/index.ts'
import { createTenantStsFace } from './sts/index.ts'
import { createTargets, endSessions } from './targets/index.ts'

export type OperateOptions = OperatorConfigSource

export type RunningOperator = Readonly<{
  /** `https://0.0.0.0:4223` */
  endpoint: string
  operationsEndpoint: string
  webhookEndpoint?: string
  cluster: string
  /** What should be said to whoever starts it. */
  notices: readonly string[]
  /** Lets running requests end, gives the lease back, then closes everything. */
  close(): Promise<void>
}>

/** @throws ConfigError with all problems at once; Error that says what to do when there is no way to a cluster. */
export async function operate(options: OperateOptions): Promise<RunningOperator> {
  const config = loadOperatorConfig(options)
  if (!config.enabled) {
    throw new Error('OPERATOR_STS_ENABLED is set and is not "on", so there is nothing to run')
  }
  const house = new House(config)
  try {
    const ground = await openGround(house)
    const core = await openCore(house, ground)
    return await openDoors(house, ground, core)
  } catch (error) {
    await house.close()
    throw error
  }
}

const drainMs = 10_000
const clock = (): Date => new Date()

/** Settings, the log, and the order in which to close. */
class House {
  readonly config: OperatorConfig
  readonly log: Logger
  readonly #closers: (() => Promise<unknown> | void)[] = []

  constructor(config: OperatorConfig) {
    this.config = config
    this.log = pino(
      { level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
      pino.destination({ dest: 2, sync: false }),
    )
  }

  opened<T extends { close(): Promise<unknown> | void }>(value: T): T {
    this.#closers.push(() => value.close())
    return value
  }

  readonly onError = (what: string, error: unknown): void => {
    this.log.error({ err: error }, what)
  }

  readonly close = async (): Promise<void> => {
    for (const close of this.#closers.splice(0).toReversed()) await close()
  }
}

type Ground = Awaited<ReturnType<typeof openGround>>

async function openGround(house: House) {
  const { config, onError } = house
  const { kubeconfig, context, features, watchedNamespaces, staleAfterSeconds } = config
  const api = house.opened(await openClusterApi({ kubeconfig, context }))
  const namespace = config.namespace ?? namespaceOfPod() ?? 'daypass-operator'
  let status: StatusWriter | undefined
  let ender: SessionEnder | undefined
  const directory = new ClusterDirectory({
    homeCluster: config.clusterName,
    clusterDomain: config.clusterDomain,
    insecureHttpTenants: features.insecureHttpTenants,
    watchedNamespaces,
    onChange() {
      status?.touched()
      ender?.touched()
    },
  })
  const departures = new Departures(clock)
  const cluster = house.opened(
    openCluster({
      api,
      directory,
      features,
      accounts: departures.target,
      staleAfterSeconds,
      clock,
      random: Math.random,
      onError,
      onAbsent: (kind) => sayAbsent(house.log, kind),
    }),
  )
  const lease = house.opened(
    openLease({
      api,
      namespace,
      name: 'daypass-operator',
      holder: `${hostname()}-${randomUUID().slice(0, 8)}`,
      clock,
      onError: (error) => onError('lease', error),
    }),
  )
  if (features.status) {
    status = house.opened(
      openStatusWriter({
        api,
        directory,
        isLeader: () => lease.isLeader(),
        isFresh: () => cluster.isFresh(clock()),
        clock,
        onError: (error) => onError('status', error),
      }),
    )
  }
  const keys = createKeyReader({ api, staleAfterSeconds, clock })
  ender = house.opened(
    openSessionEnder({
      api,
      namespace,
      homeCluster: config.clusterName,
      directory,
      departures,
      keys,
      endSessions: (target, end) => endSessions(target, end, { clock }),
      isLeader: () => lease.isLeader(),
      isFresh: () => cluster.isFresh(clock()),
      staleAfterSeconds,
      tokenCacheSeconds: config.tokenCacheSeconds,
      clock,
      random: Math.random,
      onError,
    }),
  )
  const audit = boundRefusals(house.opened(await openAudit(house)))
  return { api, namespace, directory, cluster, lease, status, keys, ender, audit }
}

/** A cluster without MinIO is as it should be; one without our own definitions gives nothing to anybody. */
function sayAbsent(log: Logger, kind: string): void {
  if (kind.endsWith('.daypass.dev')) {
    log.warn({ kind }, 'this cluster has no such kind: install the definitions of Daypass')
  } else {
    log.info(
      { kind },
      'not installed in this cluster, which is in order; it is looked for every few seconds',
    )
  }
}

/** Where a pod finds the namespace that it runs in. */
function namespaceOfPod(): string | undefined {
  const file = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

async function openAudit({ config, onError }: House): Promise<AuditLog> {
  const onFailure = (error: unknown) => onError('the audit log cannot be written', error)
  if (config.auditDir !== undefined) return openAuditLog(config.auditDir, { clock, onFailure })
  // Unheard, it would end the process; heard, nothing is issued any more.
  process.stdout.on('error', onFailure)
  return createStreamAuditLog(process.stdout)
}

type Core = Awaited<ReturnType<typeof openCore>>

async function openCore(house: House, ground: Ground) {
  const { config, log } = house
  const { directory, status, cluster } = ground
  const reading = { api: ground.api, staleAfterSeconds: config.staleAfterSeconds, clock }
  const accounts = house.opened(await openAccounts(house, ground.api))
  const targets = house.opened(
    createTargets({
      targetOf: createReach({
        directory,
        keys: ground.keys,
        minioAuthorities: createMinioAuthorities({
          ...reading,
          namespace: ground.namespace,
          onError: house.onError,
        }),
      }),
      clock,
      random: randomBytes,
      log: (event) => log.warn({ target: event }, 'target'),
    }),
  )
  const certificate = house.opened(
    openServingCertificate({
      certificate: config.certificate,
      api: ground.api,
      namespace: ground.namespace,
      serviceName: config.serviceName,
      clusterDomain: config.clusterDomain,
      webhookConfiguration: config.webhookConfiguration,
      isLeader: () => ground.lease.isLeader(),
      clock,
      onError: house.onError,
    }),
  )
  const metrics = createOperatorMetrics({
    resources: () => ({ ...directory.counts() }),
    providers: () => accounts.status(),
    watches: () =>
      cluster
        .status()
        .map(({ kind, synced, breaks }) => ({ kind: fullName(kind), synced, breaks })),
    isFresh: () => cluster.isFresh(clock()),
    isLeader: () => ground.lease.isLeader(),
    sessionEnds: () => ground.ender.status(),
    certificateExpiry: () => (certificate.status().notAfter?.getTime() ?? 0) / 1000,
  })
  const exchange = createExchange({
    identity: whileFresh(cluster, combineVerifiers([accounts])),
    grants: createTenantGrants({
      tenants: directory,
      limits: { minSeconds: 900, maxSessionPolicyBytes: config.maxSessionPolicyBytes },
      clock,
    }),
    sessions: {
      async issue(grant) {
        const bindings = bindingsOf(grant)
        try {
          // A tenant's own STS may take seconds, and what was decided may be over by then.
          const decided = directory.versionOf(grant.tenant, bindings)
          const credentials = await targets.issue(grant)
          if (directory.versionOf(grant.tenant, bindings) !== decided) throw changedMeanwhile()
          status?.used(bindings)
          return credentials
        } catch (error) {
          const policy = missingPolicyOf(error)
          for (const id of policy === undefined ? [] : bindings) {
            const names = directory.findBinding(id)?.parsed.value?.policies ?? []
            if (policy !== undefined && names.includes(policy)) status?.missing(id, policy)
          }
          throw error
        }
      },
    },
    usedTokens: {
      use: () => Promise.reject(new Error('no token of a service account is for one use only')),
    },
    audit: ground.audit,
    observe: ({ action, outcome, seconds }) => metrics.exchange(action, outcome, seconds),
    clock,
  })
  return { accounts, certificate, metrics, exchange }
}

function bindingsOf({ source }: Grant): readonly string[] {
  return source.kind === 'binding' ? source.bindings : []
}

/** Asked again, the new bindings decide. */
function changedMeanwhile(): ExchangeError {
  const message = 'What gives these credentials has changed just now; try again'
  return new ExchangeError('target_unavailable', message, { detail: { retryAfterSeconds: 1 } })
}

/** Which policy a tenant was found not to have. */
function missingPolicyOf(error: unknown): string | undefined {
  if (!(error instanceof ExchangeError) || error.code !== 'no_policy') return undefined
  const { policy } = error.detail
  return typeof policy === 'string' ? policy : undefined
}

type Identity = ReturnType<typeof combineVerifiers>

/** What was known of a cluster that has been away for long may be wrong by now: then nobody gets anything by it. */
function whileFresh(cluster: Cluster, identity: Identity): Identity {
  return {
    async verify(evidence: Evidence, now: Date) {
      if (cluster.isFresh(now)) return identity.verify(evidence, now)
      const message = 'The bindings of the cluster are not known, or not any more; try again'
      throw new IdentityError('cluster_unavailable', message, { detail: { retryAfterSeconds: 5 } })
    },
  }
}

/** The accounts of this cluster, and of those that are named beside it. */
async function openAccounts(house: House, home: ClusterApi) {
  const { config, log } = house
  const { clusterName: name, identity: mode, audiences } = config
  const further = config.clusters.map((cluster) => openFurtherCluster(house, cluster))
  const verifier = createServiceAccountVerifier({
    clusters: [clusterOf(home, { name, mode, audiences }, config), ...(await Promise.all(further))],
    clock,
    log(event) {
      const level = event.kind === 'provider_keys_loaded' ? 'info' : 'warn'
      log[level]({ identity: event }, 'cluster')
    },
  })
  return verifier
}

type ClusterSettings = Pick<IdentityCluster, 'name' | 'mode' | 'audiences'>

function clusterOf(
  api: ClusterApi,
  settings: ClusterSettings,
  { tokenCacheSeconds: cacheSeconds }: OperatorConfig,
): IdentityCluster {
  return {
    ...settings,
    configUrl: `${api.server}/.well-known/openid-configuration`,
    fetch: createIssuerFetch(api),
    reviewer: createTokenReviewer(api),
    cacheSeconds,
  }
}

async function openFurtherCluster(
  house: House,
  cluster: OperatorConfig['clusters'][number],
): Promise<IdentityCluster> {
  const { config } = house
  const { name, kubeconfig, context, issuer, caFile, identity } = cluster
  const audiences = cluster.audiences ?? config.audiences
  if (issuer === undefined || kubeconfig !== undefined) {
    const api = house.opened(await openClusterApi({ kubeconfig, context }))
    return { ...clusterOf(api, { name, mode: identity ?? 'both', audiences }, config), issuer }
  }
  const fetch = createFetchText()
  return {
    name,
    audiences,
    mode: 'jwks',
    issuer,
    configUrl: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    fetch: (url, request) => fetch(url, { ...request, caFile }),
    cacheSeconds: config.tokenCacheSeconds,
  }
}

async function openDoors(house: House, ground: Ground, core: Core): Promise<RunningOperator> {
  const { config, log } = house
  const { metrics, exchange, accounts, certificate } = core
  const { cluster } = ground
  const operations = createOperationsFace({
    metrics,
    readiness() {
      const reasons = [
        ...(cluster.isFresh(clock())
          ? []
          : ['bindings and tenants have not been read, or are too old']),
        ...(certificate.isReady()
          ? []
          : [`the certificate is not good: ${certificate.status().message}`]),
      ]
      return { ready: reasons.length === 0, reasons }
    },
  })
  const door = {
    trustedProxies: config.trustedProxies,
    clock,
    requestId: () => randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase(),
    broken,
    onError(what: string, error: unknown) {
      metrics.fault()
      house.onError(what, error)
    },
  }
  const side = await listen({ ...door, address: config.operationsAddress, handle: operations })
  house.opened({ close: () => side.close(1000) })
  const face = createTenantStsFace({
    exchange,
    limits: { maxBodyBytes: 64 * 1024, bodyTimeoutMs: 10_000 },
    log(event) {
      if (event.error !== undefined) house.onError(`STS request ${event.requestId}`, event.error)
      log.debug(event, 'sts')
    },
  })
  const main = await listen({
    ...door,
    address: config.address,
    tls: { material: certificate.material },
    handle: limited(config, async (request) => {
      if (!face.accepts(request)) return notFound(request)
      const response = await face.handle(request)
      const seconds = (clock().getTime() - request.receivedAt.getTime()) / 1000
      metrics.request('tenant-sts', 'query', response.status, seconds)
      return response
    }),
  })
  house.opened({ close: () => main.close(drainMs) })
  const webhook = config.features.webhook
    ? await listen({
        ...door,
        address: config.webhookAddress,
        tls: { material: certificate.material },
        handle: createWebhookFace({
          directory: ground.directory,
          isFresh: () => cluster.isFresh(clock()),
          homeCluster: config.clusterName,
          clusters: [config.clusterName, ...config.clusters.map(({ name }) => name)],
          labelSelectors: config.features.labelSelectors,
          onError: house.onError,
        }),
      })
    : undefined
  if (webhook) house.opened({ close: () => webhook.close(drainMs) })
  accounts.start()
  log.info({ endpoint: main.url, operations: side.url }, 'serving')
  return {
    endpoint: main.url,
    operationsEndpoint: side.url,
    ...(webhook && { webhookEndpoint: webhook.url }),
    cluster: ground.api.server,
    notices: config.notices,
    close: house.close,
  }
}

type Handler = (request: HttpRequest) => Promise<HttpResponse>

/** Nobody is known before a token has been judged, so everybody has a limit: each source, and all together. */
function limited({ limits }: OperatorConfig, handle: Handler): Handler {
  const limiter = createRateLimiter(limits)
  return async (request) => {
    const leave = limiter.enter(request.source, request.receivedAt)
    if (leave === undefined) return throttled(request)
    try {
      const body = pacedBody(request.body, { graceMs: 10_000, leastBytesPerSecond: 1024 })
      return await handle({ ...request, body })
    } finally {
      leave()
    }
  }
}

const namespaceOfErrors = 'https://sts.amazonaws.com/doc/2011-06-15/'

/** Constant texts: they need no escape. */
function errorAnswer(
  { id }: HttpRequest,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const type = status < 500 ? 'Sender' : 'Receiver'
  return {
    status,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': id, ...headers },
    body:
      `<?xml version="1.0" encoding="UTF-8"?>\n<ErrorResponse xmlns="${namespaceOfErrors}"><Error><Type>${type}</Type>` +
      `<Code>${code}</Code><Message>${message}</Message></Error><RequestId>${id}</RequestId></ErrorResponse>`,
  }
}

function notFound(request: HttpRequest): HttpResponse {
  const message = 'There are POST /sts/NAMESPACE and GET /credentials/NAMESPACE'
  return errorAnswer(request, 404, 'NotFound', message)
}

function throttled(request: HttpRequest): HttpResponse {
  const message = 'Too many requests at once; wait a second and try again'
  return errorAnswer(request, 503, 'Throttling', message, { 'retry-after': '1' })
}

function broken(request: HttpRequest): HttpResponse {
  const message = 'We encountered an internal error. Please try again.'
  return errorAnswer(request, 500, 'InternalError', message)
}
