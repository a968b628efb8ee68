/**
 * Wiring, and nothing but wiring: configuration in, a running server out.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Logger } from 'pino'
import { createAccess } from './access/index.ts'
import type { DenialTrace } from './access/index.ts'
import { openAdministration } from './admin/index.ts'
import { openAuditLog } from './audit.ts'
import { loadConfig, loadRootCredentials } from './config/index.ts'
import type { Config, RootCredentials } from './config/index.ts'
import {
  createMessageSealer,
  createSessions,
  createVault,
  loadMasterKey,
  openKeyRing,
  openRevocations,
  principalKey,
} from './credentials/index.ts'
import { createExchange } from './exchange.ts'
import { createGrants, providerRoleArn } from './grants/index.ts'
import type { ProviderMapping } from './grants/index.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { createIamFace } from './iam/index.ts'
import { combineVerifiers, createAccessKeyVerifier, createOpenIdVerifier } from './identity/index.ts'
import { createRateLimiter, listen } from './listener/index.ts'
import { createMetrics, createOperationsFace } from './operations/index.ts'
import { openEmbeddedOrigin } from './origins/index.ts'
import { createRouter } from './router.ts'
import { createS3Face, parseAddress } from './s3/index.ts'
import { openSqliteState } from './store/index.ts'
import { createStsFace } from './sts/index.ts'

const tenant = 'default'

export type ServeOptions = Readonly<{
  /** Where everything is kept; made when it is not there. */
  dir: string
  address?: string
  operationsAddress?: string
  /** Path of the configuration file. */
  config?: string
  env: Readonly<Record<string, string | undefined>>
}>

export type RunningServer = Readonly<{
  /** `http://127.0.0.1:9000` */
  endpoint: string
  operationsEndpoint: string
  root: RootCredentials
  masterKeyPath?: string
  region: string
  notices: readonly string[]
  providers: readonly Readonly<{ name: string; roleArn?: string; clientId: string }>[]
  /** Lets running requests end, then closes every file. */
  close(): Promise<void>
}>

const clock = (): Date => new Date()
const drainMs = 10_000

/** @throws ConfigError with all problems at once; Error that says what to do when the directory cannot be used. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const config = loadConfig({
    env: options.env,
    ...(options.config === undefined ? {} : { file: options.config }),
    overrides: {
      ...(options.address === undefined ? {} : { address: options.address }),
      ...(options.operationsAddress === undefined
        ? {}
        : { operationsAddress: options.operationsAddress }),
    },
  })
  mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  const closers: (() => Promise<unknown> | void)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    return await start(options, config, closers, closeAll)
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function start(
  options: ServeOptions,
  config: Config,
  closers: (() => Promise<unknown> | void)[],
  closeAll: () => Promise<void>,
): Promise<RunningServer> {
  const { dir, env } = options
  const region = config.region ?? 'us-east-1'
  const log = createLog(config)
  const onError = (what: string, error: unknown): void => log.error({ err: error }, what)
  const opened = <T extends { close(): Promise<unknown> | void }>(value: T): T => {
    closers.push(() => value.close())
    return value
  }

  const masterKey = loadMasterKey({ env, dir })
  const root = loadRootCredentials({ root: config.root, dir, random: randomBytes })
  const origin = opened(await openEmbeddedOrigin({ dir, clock, random: randomBytes }))
  const state = opened(await openSqliteState(join(dir, 'state.db'), { clock }))
  const audit = opened(
    await openAuditLog(join(dir, 'audit'), {
      clock,
      onFailure: (error) => onError('the audit log cannot be written', error),
    }),
  )

  const lifetime = { longestSessionSeconds: config.sts.maxDurationSeconds }
  const roomOptions = { clock, random: randomBytes, ...lifetime }
  const ring = opened(
    await openKeyRing(state, {
      ...roomOptions,
      masterKey: masterKey.key,
      onError: (error) => onError('key ring', error),
    }),
  )
  const revocations = opened(
    await openRevocations(state, {
      ...roomOptions,
      onError: (error) => onError('revocations', error),
    }),
  )
  const sessions = createSessions({ ...roomOptions, ring, revocations })
  const messages = createMessageSealer(ring, { random: randomBytes })

  const mappings = providerMappings(config)
  const admin = opened(
    await openAdministration({
      state,
      vault: createVault(masterKey.key, randomBytes),
      overlay: config.overlay,
      rolePolicies: new Set(mappings.flatMap((found) => (found.kind === 'role' ? found.policies : []))),
      revokeUser: (name) =>
        revocations.revoke({
          principal: principalKey({ kind: 'user', provider: 'internal', subject: name }),
          issuedBefore: clock(),
          expiresAt: new Date(clock().getTime() + lifetime.longestSessionSeconds * 1000),
          reason: `user ${name} was deleted`,
        }),
      clock,
      random: randomBytes,
      onError,
    }),
  )

  const openId = createOpenIdVerifier({
    providers: config.openid.map((provider) => ({
      ...provider,
      mode: { kind: provider.rolePolicy ? 'role' : 'claim' },
    })),
    clock,
    log: (event) => log.info({ identity: event }, 'identity provider'),
  })
  closers.push(() => openId.close())
  const grants = createGrants({
    tenant,
    policies: { find: (name) => admin.findPolicy(name) },
    users: { policiesOf: (name) => admin.policiesOf(name) },
    providers: mappings,
    limits: {
      minSeconds: 900,
      maxSeconds: config.sts.maxDurationSeconds,
      defaultSeconds: config.sts.defaultDurationSeconds,
      fixedSeconds: config.sts.fixedDurationSeconds,
      maxSessionPolicyBytes: config.sts.maxSessionPolicyBytes,
      insecureOutliveToken: config.sts.insecureOutliveToken,
    },
    clock,
  })
  const metrics = createMetrics({
    signingKeys: () => ring.list(),
    revocations: () => revocations.list().length,
    revocationsFresh: () => revocations.isFresh(clock()),
    providers: () => openId.status(),
  })

  const exchange = createExchange({
    identity: combineVerifiers([openId, createAccessKeyVerifier({ issuer: tenant })]),
    grants,
    sessions,
    audit: { record: (event) => audit.record(event) },
    explain: { seal: (event) => messages.seal('denial', event) },
    observe: ({ action, outcome, seconds }) => metrics.exchange(action, outcome, seconds),
    clock,
  })
  const access = createAccess({
    root,
    directory: admin,
    roles: { policiesOfRole: (arn) => grants.policiesOf({ kind: 'role', arn, name: '' }) },
    sessions,
    sealDenial: (trace) => messages.seal('denial', trace),
    onDenial(trace, encodedMessage) {
      metrics.denial(trace.principal.kind)
      if (trace.principal.kind === 'anonymous') return
      // A denial lets nobody in, so nobody waits for its record.
      audit.record(denialEvent(trace, encodedMessage)).catch(() => undefined)
    },
    ...(config.regionPolicy === 'strict' ? { region } : {}),
    random: randomBytes,
  })

  const sts = createStsFace({
    exchange,
    access,
    openDenial: (encoded) => messages.open('denial', encoded),
    limits: { maxBodyBytes: 64 * 1024, bodyTimeoutMs: 10_000 },
    compat: config.sts.errors,
    log(event) {
      if (event.error !== undefined) onError(`STS request ${event.requestId}`, event.error)
      else log.debug(event, 'sts')
    },
    region: config.region,
  })
  const iam = createIamFace({
    admin,
    keys: ring,
    revocations,
    authenticate: (request, bodySha256) =>
      access.authenticate(request, { services: ['iam'], bodySha256 }),
    authorize: (caller, request, permission) => access.authorize(caller, request, [permission]),
    audit: (event) => audit.record(event),
    logFault: (requestId, error) => onError(`IAM request ${requestId}`, error),
    clock,
    longestSessionSeconds: lifetime.longestSessionSeconds,
  })
  const s3 = createS3Face({
    origin,
    access: s3Access(access),
    sealer: messages,
    region,
    regionPolicy: config.regionPolicy,
    domains: config.domains,
    clock,
    log: { fault: onError },
  })

  const operations = createOperationsFace({
    metrics,
    readiness: () => ({
      ready: revocations.isFresh(clock()),
      reasons: revocations.isFresh(clock()) ? [] : ['the store does not answer'],
    }),
  })
  const limiter = createRateLimiter({
    perSecond: config.limits.anonymousPerSecond,
    burst: config.limits.anonymousBurst,
    inFlight: config.limits.anonymousInFlight,
  })
  const router = createRouter({
    sts,
    iam,
    s3,
    health: operations,
    addressesBucket: (request) => addressesBucket(request),
    enterAnonymous: (source, now) => limiter.enter(source, now),
  })

  const door = {
    trustedProxies: config.trustedProxies,
    clock,
    requestId: () => randomBytes(8).toString('hex').toUpperCase(),
    broken,
    onError(what: string, error: unknown) {
      metrics.fault()
      onError(what, error)
    },
  }
  const main = await listen({
    ...door,
    address: config.address,
    handle: router,
    ...(config.tls ? { tls: config.tls } : {}),
  })
  closers.push(() => main.close(drainMs))
  const operationsListener = await listen({
    ...door,
    address: config.operationsAddress,
    handle: operations,
  })
  closers.push(() => operationsListener.close(1000))
  openId.start()
  log.info({ endpoint: main.url, operations: operationsListener.url }, 'serving')
  return {
    endpoint: main.url,
    operationsEndpoint: operationsListener.url,
    root,
    ...(masterKey.path === undefined ? {} : { masterKeyPath: masterKey.path }),
    region,
    notices: config.notices,
    providers: mappings.map((mapping, index) => ({
      name: mapping.provider,
      clientId: config.openid[index]?.clientId ?? '',
      ...(mapping.kind === 'role' ? { roleArn: mapping.roleArn } : {}),
    })),
    close: closeAll,
  }
}
