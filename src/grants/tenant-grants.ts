import type { PolicySource } from '../credentials/types.ts'
import type { Principal } from '../identity/index.ts'
import { parsePolicy } from '../policy/index.ts'
import { chooseLifetime, type Lifetime } from './lifetime.ts'
import { mintGrant } from './mint-grant.ts'
import { chooseSessionName, isSessionName } from './session-name.ts'
import { noLayers, readSessionLayers, stackLayers, type SessionLayers } from './session-policy.ts'
import { storable } from './storable.ts'
import type { ServiceAccountBinding, Tenant, TenantDirectory } from './tenants.ts'
import { Trace } from './trace.ts'
import type { Authorizer, Grant, GrantRequest } from './types.ts'

export type TenantGrantsOptions = Readonly<{
  tenants: TenantDirectory
  limits: Readonly<{
    minSeconds: number
    /** Bytes of the caller's policy after white space is taken out. */
    maxSessionPolicyBytes: number
  }>
  clock: () => Date
}>

/**
 * Decides for the tenants of a cluster: a service account has in a tenant what the bindings in the tenant's namespace
 * give to it, united, and nothing else. What the caller sends as `Policy` narrows it.
 */
export function createTenantGrants(options: TenantGrantsOptions): Authorizer {
  return {
    addressed: (evidence) => evidence,
    authorize: (principal, request) => authorize(principal, request, options),
    authorizeSession() {
      throw new Trace().refusal('caller', 'caller_not_allowed', 'Sessions take no roles here')
    },
  }
}

function authorize(
  principal: Principal,
  request: GrantRequest,
  options: TenantGrantsOptions,
): Grant {
  const trace = new Trace()
  if (principal.kind !== 'service-account' || principal.expiresAt === undefined) {
    throw trace.refusal('caller', 'caller_not_allowed', 'Only service accounts are served here')
  }
  trace.ok('token', `Cluster "${principal.provider}" vouches for ${principal.subject}`)
  const tenant = chooseTenant(request, options.tenants, trace)
  const bindings = chooseBindings(tenant, principal, request, options.tenants, trace)
  const layers = layersOf(tenant, request, options, trace)
  const lifetime = lifetimeOf(tenant, bindings, principal, request, options, trace)
  return mintGrant({
    principal: storable(principal),
    tenant: `${tenant.namespace}/${tenant.name}`,
    source: sourceOf(bindings),
    sessionName: chooseSessionName(usableName(request), principal.displayName, trace),
    sessionPolicies: layers.documents,
    sessionPolicyNames: layers.names,
    tags: tagsOf(principal),
    transitiveTagKeys: [],
    issuedAt: lifetime.issuedAt,
    expiresAt: lifetime.expiresAt,
    lineage: principal.jti === undefined ? {} : { jti: principal.jti },
    trace: trace.steps,
  })
}

/** A namespace with several tenants does not say which one is meant: then nobody guesses. */
function chooseTenant(
  { tenant: name }: GrantRequest,
  tenants: TenantDirectory,
  trace: Trace,
): Tenant {
  const unknown = (message: string) => trace.refusal('tenant', 'unknown_tenant', message)
  if (name === undefined) throw unknown('No tenant was named')
  const [tenant, ...more] = tenants.findTenants(name)
  const shown = name.name === undefined ? name.namespace : `${name.namespace}/${name.name}`
  if (tenant === undefined) throw unknown(`There is no tenant ${shown}`)
  if (more.length > 0) {
    const names = [tenant, ...more].map((found) => `${found.namespace}/${found.name}`).slice(0, 5)
    throw unknown(`Namespace ${shown} has several tenants; ask for one of ${names.join(', ')}`)
  }
  trace.ok('tenant', `${tenant.namespace}/${tenant.name}, by ${tenant.target}`)
  return tenant
}

function chooseBindings(
  tenant: Tenant,
  principal: Principal,
  { roleArn }: GrantRequest,
  tenants: TenantDirectory,
  trace: Trace,
): readonly ServiceAccountBinding[] {
  const found = tenants.bindingsFor(tenant, subjectOf(principal, tenants))
  const bindings = byRole(found, roleArn, trace)
  if (bindings.length === 0) {
    const message = `No binding in namespace ${tenant.namespace} is for ${principal.subject}`
    throw trace.refusal('binding', 'no_policy', message)
  }
  for (const { id, policies, documents, roleArn: role } of bindings) {
    const parts = [
      ...policies.map((name) => `"${name}"`),
      ...(documents.length > 0 ? [`${documents.length} of its own`] : []),
      ...(role === undefined ? [] : [`role ${role}`]),
    ]
    trace.ok(`binding ${id}`, parts.join(', '))
  }
  return bindings
}

/**
 * A session takes one role at most. Where bindings name several, the caller's RoleArn says which; otherwise it means
 * nothing, since every AWS SDK has to send one.
 */
function byRole(
  found: readonly ServiceAccountBinding[],
  roleArn: string | undefined,
  trace: Trace,
): readonly ServiceAccountBinding[] {
  const roles = new Set(found.flatMap((binding) => binding.roleArn ?? []))
  if (roles.size < 2) return found
  if (roleArn === undefined || !roles.has(roleArn)) {
    const message = `Several roles are bound; set RoleArn to one of ${[...roles].slice(0, 5).join(', ')}`
    throw trace.refusal('binding', 'unknown_role', message, { detail: { parameter: 'RoleArn' } })
  }
  return found.filter((binding) => binding.roleArn === undefined || binding.roleArn === roleArn)
}

function subjectOf(principal: Principal, tenants: TenantDirectory) {
  const [namespace, serviceAccount] = [
    claim(principal, 'namespace'),
    claim(principal, 'serviceaccount'),
  ]
  const cluster = principal.provider
  return {
    cluster,
    namespace,
    serviceAccount,
    claims: principal.claims,
    ...tenants.labelsOf(cluster, namespace, serviceAccount),
  }
}

function sourceOf(bindings: readonly ServiceAccountBinding[]): PolicySource {
  const roleArn = bindings.find((binding) => binding.roleArn !== undefined)?.roleArn
  return {
    kind: 'binding',
    bindings: bindings.map(({ id }) => id),
    names: [...new Set(bindings.flatMap(({ policies }) => policies))],
    documents: [...new Set(bindings.flatMap(({ documents }) => documents))],
    ...(roleArn !== undefined && { roleArn }),
  }
}

/** The ceiling of the tenant stands as a layer of its own, whatever the caller sends. */
function layersOf(
  tenant: Tenant,
  request: GrantRequest,
  { limits }: TenantGrantsOptions,
  trace: Trace,
): SessionLayers {
  const ground = {
    maxBytes: limits.maxSessionPolicyBytes,
    policies: { findPolicy: () => undefined },
    trace,
  }
  const asked = readSessionLayers(request, ground)
  if (tenant.ceiling === undefined) return asked
  const { text } = parsePolicy(tenant.ceiling, 'session')
  trace.ok('ceiling', 'The tenant has one')
  return stackLayers({ ...noLayers, documents: [[text]], names: [[]] }, asked)
}

/** These clients send whatever they like, since it never meant anything: what cannot be a name is none. */
function usableName({ roleSessionName: name }: GrantRequest): string | undefined {
  return name !== undefined && isSessionName(name) ? name : undefined
}

/** The most that the STS of MinIO lets anybody ask for: a year. */
const mostAskedSeconds = 31_536_000

/** Of who names no duration (operator-sts.md section 1.3). */
const usualSeconds = 3600

/** The shortest of the longest: what several bindings give together lasts no longer than any of them allows. */
function lifetimeOf(
  tenant: Tenant,
  bindings: readonly ServiceAccountBinding[],
  { expiresAt }: Principal,
  { durationSeconds = usualSeconds }: GrantRequest,
  { limits, clock }: TenantGrantsOptions,
  trace: Trace,
): Lifetime {
  const bound = bindings.flatMap((binding) => binding.maxSessionSeconds ?? [])
  const maxSeconds = Math.min(tenant.maxSessionSeconds, ...bound)
  // Who asks for more than there is gets what there is: these clients send fixed wishes and knew no bound.
  const isWish = durationSeconds <= mostAskedSeconds
  const asked = isWish ? Math.min(durationSeconds, maxSeconds) : durationSeconds
  const rules = { ...limits, maxSeconds, defaultSeconds: maxSeconds }
  return chooseLifetime(asked, expiresAt, rules, clock(), trace)
}

/** The names that EKS Pod Identity gives to these facts (Amazon EKS User Guide, session tags). */
const tagClaims = [
  ['kubernetes-namespace', 'namespace'],
  ['kubernetes-service-account', 'serviceaccount'],
  ['kubernetes-pod-name', 'pod'],
  ['kubernetes-pod-uid', 'pod_uid'],
] as const

function tagsOf(principal: Principal): ReadonlyMap<string, string> {
  const pairs = tagClaims.flatMap(([tag, name]) => {
    const value = principal.claims.get(name)
    return typeof value === 'string' ? [[tag, value] as const] : []
  })
  return new Map([['kubernetes-cluster-name', principal.provider], ...pairs])
}

function claim({ claims }: Principal, name: string): string {
  const value = claims.get(name)
  if (typeof value !== 'string' || value === '')
    throw new TypeError(`a service account without ${name}`)
  return value
}
