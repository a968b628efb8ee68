/**
 * Wiring, and nothing but wiring: configuration in, a running server out. Ground first (what lies on the disk), then the
 * core over it, then the faces over the core, then the doors.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import type { Logger } from 'pino'
import { createAccess } from './access/index.ts'
import type { Access, DenialTrace } from './access/index.ts'
import { openAdministration } from './admin/index.ts'
import type { Administration } from './admin/index.ts'
import { boundRefusals, openAuditLog } from './audit.ts'
import type { AuditLog } from './audit.ts'
import { ConfigError, loadConfig, loadRootCredentials, missingNames } from './config/index.ts'
import type { Config, RootCredentials } from './config/index.ts'
import {
  createMessageSealer,
  createSessions,
  createVault,
  loadMasterKey,
  openKeyRing,
  openRevocations,
  openSharedKeyFolder,
  principalKey,
  withSharedKeys,
} from './credentials/index.ts'
import type { SharedKeyFolder } from './credentials/index.ts'
import { createExchange, createUsedTokens } from './exchange.ts'
import { createGrants, providerRoleArn } from './grants/index.ts'
import type { ProviderMapping } from './grants/index.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { createIamFace } from './iam/index.ts'
import type { LdapDirectories } from './iam/index.ts'
import {
  Attendance,
  combineVerifiers,
  createAccessKeyVerifier,
  createCertificateVerifier,
  createClientChainReader,
  createCustomTokenVerifier,
  createDepartures,
  createLdapHomes,
  createLdapVerifier,
  createOpenIdVerifier,
  normaliseDn,
  pluginRoleArn,
} from './identity/index.ts'
import type { LdapEvent } from './identity/index.ts'
import { createRateLimiter, listen, pacedBody } from './listener/index.ts'
import { createMinioAdminFace } from './minio-admin/index.ts'
import { createMetrics, createOperationsFace } from './operations/index.ts'
import type { Metrics } from './operations/index.ts'
import { openEmbeddedOrigin } from './origins/index.ts'
import { createRouter } from './router.ts'
import { bucketPolicyFinder, createS3Face } from './s3/index.ts'
import type { AccessControl, Origin } from './s3/index.ts'
import { openSqliteState } from './store/index.ts'
import { createStsFace } from './sts/index.ts'

export type ServeOptions = Readonly<{
  /** Where everything is kept; made when it is not there. */
  dir: string
  address?: string
  operationsAddress?: string
  /** Path of the configuration file. */
  config?: string
  env: Readonly<Record<string, string | undefined>>
}>

/** A way in that the configuration opens: the client id of an OpenID provider, the role ARN where people come by one. */
type RunningProvider = Readonly<{
  kind: 'openid' | 'ldap' | 'certificates' | 'plugin'
  name: string
  clientId?: string
  roleArn?: string
}>

export type RunningServer = Readonly<{
  /** `http://127.0.0.1:9000` */
  endpoint: string
  operationsEndpoint: string
  root: RootCredentials
  masterKeyPath?: string
  region: string
  /** What should be said to whoever starts the server. */
  notices: readonly string[]
  providers: readonly RunningProvider[]
  /** Lets running requests end, then closes every file. */
  close(): Promise<void>
}>

/** @throws ConfigError with all problems at once; Error that says what to do when the directory cannot be used. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { address, operationsAddress } = options
  const config = loadConfig({
    env: options.env,
    ...(options.config === undefined ? {} : { file: options.config }),
    overrides: { ...(address && { address }), ...(operationsAddress && { operationsAddress }) },
  })
  const house = new House(config)
  try {
    const ground = await openGround(house, options)
    const core = await openCore(house, ground)
    return await openDoors(house, ground, core)
  } catch (error) {
    await house.close()
    throw error
  }
}

const tenant = 'default'
const drainMs = 10_000
const random = randomBytes
const clock = (): Date => new Date()

/** What everything else hangs on: settings, the log, and the order in which to close. */
class House {
  readonly config: Config
  readonly region: string
  readonly log: Logger
  readonly #closers: (() => Promise<unknown> | void)[] = []

  constructor(config: Config) {
    this.config = config
    this.region = config.region ?? 'us-east-1'
    this.log = pino(
      {
        level: config.logLevel,
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        // The second net: secrets are `Secret` values, which print as [secret] by themselves.
        redact: ['*.secretAccessKey', '*.sessionToken', '*.token', '*.password', '*.authorization'],
      },
      pino.destination({ dest: 2, sync: false }),
    )
  }

  opened<T extends { close(): Promise<unknown> | void }>(value: T): T {
    this.onClose(() => value.close())
    return value
  }

  onClose(close: () => Promise<unknown> | void): void {
    this.#closers.push(close)
  }

  readonly onError = (what: string, error: unknown): void => {
    this.log.error({ err: error }, what)
  }

  readonly close = async (): Promise<void> => {
    for (const close of this.#closers.splice(0).toReversed()) await close()
  }
}

type Ground = Awaited<ReturnType<typeof openGround>>

async function openGround(house: House, { dir, env }: ServeOptions) {
  const { config, onError } = house
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const stateFile = join(dir, 'state.db')
  const masterKey = loadMasterKey({ env, dir, mayCreate: !existsSync(stateFile) })
  const root = loadRootCredentials({ root: config.root, dir, random })
  // It takes the longest to open, and nothing needs it before the doors do.
  const openingOrigin = openEmbeddedOrigin({ dir, clock, random })
  openingOrigin.catch(() => undefined) // whoever awaits it hears of the failure
  house.onClose(() =>
    openingOrigin.then(
      (origin) => origin.close(),
      () => undefined,
    ),
  )
  const state = house.opened(await openSqliteState(stateFile, { clock }))
  const log = await openAuditLog(join(dir, 'audit'), {
    clock,
    onFailure: (error) => onError('the audit log cannot be written', error),
  })
  const audit = boundRefusals(house.opened(log))
  return { masterKey, root, openingOrigin, state, audit }
}

type Core = Awaited<ReturnType<typeof openCore>>

async function openCore(house: House, ground: Ground) {
  const { config, onError } = house
  const mappings = providerMappings(config)
  const { ring, revocations, sessions, messages } = await openCredentials(house, ground)
  const admin = house.opened(
    await openAdministration({
      state: ground.state,
      vault: createVault(ground.masterKey.key, random),
      overlay: config.overlay,
      rolePolicies: new Set(
        mappings.flatMap((found) => (found.kind === 'claim' ? [] : found.policies)),
      ),
      ldapHome: config.ldap.length > 1 ? createLdapHomes(config.ldap) : undefined,
      revokeUser: (name, event) =>
        revocations.revoke({
          principal: principalKey({ kind: 'user', provider: 'internal', subject: name }),
          reason: `user ${name} was ${event}`,
        }),
      revokeRole: ({ name, arn }) =>
        revocations.revoke({ role: arn, reason: `role ${name} was deleted` }),
      revokeProvider: ({ arn, url }) =>
        revocations.revoke({ provider: arn, reason: `provider ${url} was deleted` }),
      clock,
      random,
      onError,
    }),
  )
  const ways = openWaysIn(house, admin, openDirectories(house, ground, revocations))
  const grants = createGrants({
    tenant,
    directory: admin,
    providers: mappings,
    certificates: ways.certificates,
    tenantCeiling: config.ceiling,
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
    providers: () => ways.status(),
    registeredProviders: () => admin.listProviders().length,
  })
  const exchange = createExchange({
    identity: combineVerifiers([...ways.verifiers, createAccessKeyVerifier({ tenant })]),
    grants,
    sessions,
    usedTokens: createUsedTokens(ground.state, (error) => house.onError('used tokens', error)),
    audit: ground.audit,
    explain: { seal: (event) => messages.seal('denial', event) },
    observe: ({ action, outcome, seconds }) => metrics.exchange(action, outcome, seconds),
    clock,
  })
  const access = createAccess({
    root: ground.root,
    directory: admin,
    roles: grants,
    tenantCeiling: config.ceiling,
    ...policyCompat(config),
    sessions,
    sealDenial: (trace) => messages.seal('denial', trace),
    onDenial(trace) {
      metrics.denial(trace.principal.kind)
      recordDenial(ground.audit, trace)
    },
    ...(config.regionPolicy === 'strict' ? { region: house.region } : {}),
    random,
  })
  return { mappings, ring, revocations, messages, admin, ways, metrics, exchange, access }
}

/** AWS's reading is the stricter one, and the one that is there unless somebody asks for MinIO's. */
function policyCompat({ s3 }: Config): { policyCompat?: 'minio' } {
  return s3.policyCompat === 'minio' ? { policyCompat: 'minio' } : {}
}

type SessionRevocations = Awaited<ReturnType<typeof openCredentials>>['revocations']

async function openCredentials(house: House, { state, masterKey }: Ground) {
  const { config, onError } = house
  const options = { clock, random, longestSessionSeconds: config.sts.maxDurationSeconds }
  const ring = house.opened(
    await openKeyRing(state, {
      ...options,
      masterKey: masterKey.key,
      onError: (error) => onError('key ring', error),
    }),
  )
  const revocations = house.opened(
    await openRevocations(state, {
      ...options,
      onError: (error) => onError('revocations', error),
    }),
  )
  const shared = openSharedKeys(house)
  const sessions = createSessions({
    ...options,
    ring: shared ? withSharedKeys(ring, shared) : ring,
    revocations,
  })
  return { ring, revocations, sessions, messages: createMessageSealer(ring, { random }) }
}

/** Keys under which an operator seals sessions for this tenant; what it seals is opened here and never made. */
function openSharedKeys(house: House): SharedKeyFolder | undefined {
  const { sharedSessionKeys: settings } = house.config
  if (settings === undefined) return undefined
  const { dir, tenantName: tenant } = settings
  try {
    const onError = (error: unknown): void => house.onError('shared session keys', error)
    return house.opened(openSharedKeyFolder({ dir, tenant, onError }))
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError([{ path: 'sharedSessionKeys.dir', message }])
  }
}

type Registered = Pick<Administration, 'findProvider' | 'listProviders'>

function openIdVerifier(house: House, admin: Registered): ReturnType<typeof createOpenIdVerifier> {
  const verifier = createOpenIdVerifier({
    providers: house.config.openid.map((provider) => ({
      ...provider,
      mode: { kind: provider.rolePolicy ? 'role' : 'claim' },
    })),
    registered: {
      directory: {
        find: (arn) => admin.findProvider(arn),
        list: () => admin.listProviders(),
      },
      caFile: house.config.iamProviders.caFile,
    },
    clock,
    log(event) {
      const level = event.kind === 'provider_keys_loaded' ? 'info' : 'warn'
      house.log[level]({ identity: event }, 'identity provider')
    },
  })
  house.onClose(() => verifier.close())
  return verifier
}

type Directories = ReturnType<typeof openDirectories>

/** The directories, who came in by them, and the rounds that end the sessions of those who are gone. */
function openDirectories(house: House, { state, audit }: Ground, revocations: SessionRevocations) {
  const { config, onError } = house
  const log = (event: LdapEvent): void => house.log.warn({ identity: event }, 'directory')
  const attendance = new Attendance({
    state,
    clock,
    longestSessionSeconds: config.sts.maxDurationSeconds,
    async endSessions({ directory: provider, subject }, reason, issuedBefore) {
      const principal = principalKey({ kind: 'ldap', provider, subject })
      await revocations.revoke({ principal, issuedBefore, reason })
      await audit.record({ kind: 'departure', at: clock(), provider, subject, reason })
    },
  })
  const ldap = createLdapVerifier({ directories: config.ldap, clock, log, attendance })
  house.onClose(() => ldap.close())
  const departures = house.opened(
    createDepartures({
      directories: config.ldap,
      attendance,
      confirm: (who) => ldap.confirm(who),
      state,
      clock,
      random,
      log,
      onError: (error) => onError('looking after people of a directory', error),
    }),
  )
  return { ldap, attendance, departures }
}

/** What administration may know of them; nothing where there are none. */
function namesOfDirectories({ ldap }: Config, attendance: Attendance): LdapDirectories | undefined {
  if (ldap.length === 0) return undefined
  return {
    names: ldap.map(({ name }) => name),
    normaliseDn,
    homeOf: createLdapHomes(ldap),
    peopleNamed: (directory, username) => attendance.subjectsOf(directory, username),
  }
}

/** Every verifier of what comes from outside, each made by its own settings; what is not configured judges nothing. */
function openWaysIn(
  house: House,
  admin: Registered,
  { ldap, attendance, departures }: Directories,
) {
  const { config } = house
  const openId = openIdVerifier(house, admin)
  const log = (event: object): void => house.log.warn({ identity: event }, 'identity provider')
  const { certificates: given } = config
  const certificates =
    given && asConfigured('certificates', () => createCertificateVerifier({ ...given, clock, log }))
  house.onClose(() => certificates?.close())
  const plugins = config.customTokens.map((plugin, index) =>
    asConfigured(`customTokens.${index}`, () =>
      createCustomTokenVerifier({ ...plugin, clock, log }),
    ),
  )
  return {
    verifiers: [openId, ldap, ...(certificates ? [certificates] : []), ...plugins],
    certificates,
    start() {
      openId.start()
      ldap.start()
      certificates?.start()
      departures.start()
    },
    attendance,
    /** Of those made through the IAM API. */
    providerState(arn: string) {
      const found = openId.registeredStatus(arn)
      if (found === undefined) return { state: 'unasked' as const }
      const { ready, error } = found
      return {
        state: ready ? ('ready' as const) : ('away' as const),
        ...(error !== undefined && { problem: error }),
      }
    },
    status: () => [
      ...openId.status(),
      ...ldap.status().map(({ directory, ready }) => ({ provider: directory, ready })),
      ...(certificates ? [certificates.status()] : []),
      ...plugins
        .map((plugin) => plugin.status())
        .map(({ provider, error }) => ({ provider, ready: error === undefined })),
    ],
  }
}

/** Rooms know what is wrong with their settings, but not where these stand. */
function asConfigured<T>(path: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new ConfigError([{ path, message: cause.message }])
  }
}

/** How each provider's principals come by their policies; the role ARN as MinIO computes it. */
function providerMappings(config: Config): readonly ProviderMapping[] {
  const plugins = config.customTokens.map((plugin): ProviderMapping => ({
    kind: 'plugin',
    provider: plugin.name ?? 'custom',
    roleArn: pluginRoleArn(plugin),
    policies: plugin.rolePolicy,
  }))
  return [...openIdMappings(config), ...plugins]
}

function openIdMappings(config: Config): readonly ProviderMapping[] {
  return config.openid.map((provider) =>
    provider.rolePolicy
      ? {
          kind: 'role',
          provider: provider.name,
          roleArn: providerRoleArn(provider.clientId, config.region),
          policies: provider.rolePolicy,
        }
      : {
          kind: 'claim',
          provider: provider.name,
          claimName: provider.claimName ?? 'policy',
          claimPrefix: provider.claimPrefix,
          dottedPath: provider.claimPath,
        },
  )
}

/** A denial lets nobody in, so nobody waits for its record. Strangers cannot fill the log with theirs. */
function recordDenial(audit: AuditLog, trace: DenialTrace): void {
  if (trace.principal.kind === 'anonymous') return
  const { decisionId, requestId, source, principal, decision } = trace
  const accesses = decision.accesses.map(({ action, resource, outcome, reason }) => ({
    action,
    resource,
    outcome,
    reason,
  }))
  const at = new Date(trace.at)
  // The audit log has reported its failure already.
  audit
    .record({ kind: 'denial', at, decisionId, requestId, source, principal, accesses })
    .catch(() => undefined)
}

async function openDoors(house: House, ground: Ground, core: Core): Promise<RunningServer> {
  const { config, region } = house
  const operations = createOperationsFace({
    metrics: core.metrics,
    readiness() {
      const ready = core.revocations.isFresh(clock())
      return { ready, reasons: ready ? [] : ['the store does not answer'] }
    },
  })
  const door = {
    trustedProxies: config.trustedProxies,
    clock,
    // Sixteen hex digits from Node's stock of randomness; asking for eight bytes each time costs ten times as much.
    requestId: () => randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase(),
    broken,
    onError(what: string, error: unknown) {
      core.metrics.fault()
      house.onError(what, error)
    },
  }
  const main = await listen({
    ...door,
    address: config.address,
    handle: createFaces(house, ground, core, await ground.openingOrigin, operations),
    ...(config.tls
      ? { tls: { ...config.tls, requestClientCertificates: config.certificates !== undefined } }
      : {}),
  })
  house.onClose(() => main.close(drainMs))
  const side = await listen({ ...door, address: config.operationsAddress, handle: operations })
  house.onClose(() => side.close(1000))
  core.ways.start()
  house.log.info({ endpoint: main.url, operations: side.url }, 'serving')
  return {
    endpoint: main.url,
    operationsEndpoint: side.url,
    root: ground.root,
    ...(ground.masterKey.path === undefined ? {} : { masterKeyPath: ground.masterKey.path }),
    region,
    notices: [
      ...config.notices,
      ...missingNames(config, {
        policy: (name) => core.admin.findPolicy(name) !== undefined,
        role: (name) => core.admin.findRole(name) !== undefined,
      }),
    ],
    providers: runningProviders(config, core.mappings),
    close: house.close,
  }
}

function runningProviders(
  { openid, ldap, certificates }: Config,
  mappings: readonly ProviderMapping[],
): readonly RunningProvider[] {
  const mapped = mappings.map((mapping): RunningProvider => {
    const { provider: name } = mapping
    const roleArn = mapping.kind === 'claim' ? {} : { roleArn: mapping.roleArn }
    const found = openid.find((each) => each.name === name)
    return found
      ? { kind: 'openid', name, clientId: found.clientId, ...roleArn }
      : { kind: 'plugin', name, ...roleArn }
  })
  return [
    ...mapped,
    ...ldap.map(({ name }): RunningProvider => ({ kind: 'ldap', name })),
    ...(certificates ? [{ kind: 'certificates', name: certificates.name ?? 'tls' } as const] : []),
  ]
}

type Handler = (request: HttpRequest) => Promise<HttpResponse>

function createFaces(
  house: House,
  ground: Ground,
  core: Core,
  origin: Origin,
  operations: Handler,
): Handler {
  const { config, onError } = house
  const {
    anonymousPerSecond: perSecond,
    anonymousBurst: burst,
    anonymousInFlight: inFlight,
  } = config.limits
  const anonymous = createRateLimiter({ perSecond, burst, inFlight })
  // Who signs holds a key, or a guess at one: ten times as many a second, and as many at a time.
  const unproven = createRateLimiter({ perSecond: perSecond * 10, burst: burst * 10, inFlight })
  const s3 = createS3Face({
    origin,
    access: s3Access(core.access),
    sealer: core.messages,
    region: house.region,
    domains: config.domains,
    clock,
    logFault: onError,
    observe: (operation, status, seconds) => core.metrics.request('s3', operation, status, seconds),
    reservedBuckets: new Set(['minio']),
    ...(config.s3.strictChunkSize ? { minChunkBytes: 8192 } : {}),
  })
  const sts = createStsFace({
    exchange: core.exchange,
    access: core.access,
    openDenial: (encoded) => core.messages.open('denial', encoded),
    limits: { maxBodyBytes: 64 * 1024, bodyTimeoutMs: 10_000 },
    compat: config.sts.errors,
    clientChain:
      config.certificates &&
      asConfigured('certificates.proxy', () => createClientChainReader(config.certificates?.proxy)),
    log(event) {
      if (event.error !== undefined) onError(`STS request ${event.requestId}`, event.error)
      house.log.debug(event, 'sts')
    },
    region: config.region,
  })
  const iam = createIamFace({
    admin: core.admin,
    keys: core.ring,
    revocations: core.revocations,
    authenticate: (request, bodySha256) =>
      core.access.authenticate(request, { services: ['iam'], bodySha256 }),
    authorize: (caller, request, permission) =>
      core.access.authorize(caller, request, [permission]),
    audit: (event) => ground.audit.record(event),
    logFault: (requestId, error) => onError(`IAM request ${requestId}`, error),
    providerState: (arn) => core.ways.providerState(arn),
    findBucketPolicy: bucketPolicyFinder(origin),
    tenantCeiling: config.ceiling,
    ...policyCompat(config),
    directories: namesOfDirectories(config, core.ways.attendance),
    knowsProvider: (name) =>
      core.ways.status().some(({ provider }) => provider === name) ||
      core.admin.findProvider(name) !== undefined,
    clock,
  })
  const minioAdmin = createMinioAdminFace({
    findPolicy: (name) => core.admin.findPolicy(name),
    region: house.region,
    authenticate: (request) =>
      core.access.authenticate(request, { services: ['s3'], anyRegion: true, emptyRegion: true }),
    authorize: (caller, request, access) => core.access.authorize(caller, request, [access]),
    logFault: (requestId, error) => onError(`admin request ${requestId}`, error),
  })
  return createRouter({
    sts: measured(core.metrics, 'sts', sts),
    iam: measured(core.metrics, 'iam', iam),
    // It is administration in other words, and counts as such.
    minioAdmin: measured(core.metrics, 'iam', minioAdmin),
    s3,
    health: operations,
    addressesBucket: (request) => s3.addressesBucket(request),
    enterAnonymous: (source, now) => anonymous.enter(source, now),
    enterUnproven: (source, now) => unproven.enter(source, now),
    pace: (body) => pacedBody(body, { graceMs: 10_000, leastBytesPerSecond: 1024 }),
  })
}

type QueryFace = Readonly<{ accepts(request: HttpRequest): boolean; handle: Handler }>

/** Counts a face's answers. What a query asked for is not a label: only exchanges are told apart, by their own metric. */
function measured(metrics: Metrics, name: 'sts' | 'iam', face: QueryFace): QueryFace {
  return {
    accepts: (request) => face.accepts(request),
    async handle(request) {
      const response = await face.handle(request)
      const seconds = (clock().getTime() - request.receivedAt.getTime()) / 1000
      metrics.request(name, 'query', response.status, seconds)
      return response
    },
  }
}

/** The S3 face's port over the one access room: its requests are signed for service `s3`. */
function s3Access(access: Access): AccessControl {
  return {
    authenticate: (request, anyRegion) =>
      access.authenticate(request, { services: ['s3'], anyRegion }),
    authenticateForm: (fields, request) => access.authenticateForm(fields, request),
    authorize: async (caller, request, accesses) => access.authorize(caller, request, accesses),
    isAllowed: (caller, request, accesses) => access.isAllowed(caller, request, accesses),
    readsObjectTags: (caller) => access.readsObjectTags(caller),
  }
}

/** The answer for a fault of ours: constant, whoever asks. */
function broken(request: HttpRequest): HttpResponse {
  return {
    status: 500,
    headers: { 'content-type': 'application/xml', 'x-amz-request-id': request.id },
    body:
      '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code>' +
      `<Message>We encountered an internal error. Please try again.</Message><RequestId>${request.id}</RequestId></Error>`,
  }
}
