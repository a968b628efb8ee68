import type { ServiceAccountBinding, Tenant, TenantName } from '../grants/index.ts'
import type { ClusterDirectory } from './directory.ts'
import type { ResourceProblem } from './resources/parsed.ts'
import type { TenantResource } from './resources/tenant.ts'

type Reason = 'Bound' | 'Invalid' | 'UnknownTenant' | 'UnknownPolicy' | 'NoRoles' | 'Served'

/** What is to be said of a resource, in its condition `Ready`. */
export type Verdict = Readonly<{ ready: boolean; reason: Reason; message: string }>

/**
 * Whether the binding gives what it says, by what decides when credentials are asked for.
 * @param missing names of policies that its tenant was found not to have
 */
export function judge(
  binding: ServiceAccountBinding,
  directory: ClusterDirectory,
  missing: ReadonlySet<string>,
): Verdict {
  const { namespace, tenant: name } = binding
  const tenants = directory.findTenants({ namespace, name })
  if (tenants.length === 0) {
    return no('UnknownTenant', whyNoTenant({ namespace, name }, directory))
  }
  const resources = tenants.flatMap((tenant) => resourceOf(tenant, directory))
  if (binding.roleArn !== undefined && resources.some(hasNoRoles)) {
    return no('NoRoles', 'It names a role, and tenants that speak like MinIO have none')
  }
  const problem = policyProblem(binding, directory, resources, missing)
  return problem ?? { ready: true, reason: 'Bound', message: 'Gives what it says' }
}

/** Not one of its kind, for these reasons. */
export function invalid(problems: readonly ResourceProblem[]): Verdict {
  return no('Invalid', shown(problems))
}

/** Nothing of ours is written into tenants of MinIO: what is wrong with them is said here, or nowhere. */
function whyNoTenant(wanted: TenantName, directory: ClusterDirectory): string {
  const { namespace, name } = wanted
  if (!directory.isWatched(namespace)) {
    return `Tenants of namespace ${namespace} are not served; watchedNamespaces leaves it out`
  }
  const [first] = directory.unsoundTenants(wanted)
  if (first === undefined) {
    return `There is no tenant ${name === undefined ? '' : `${name} `}in namespace ${namespace}`
  }
  const kind = first.kind === 'MinioTenant' ? 'Tenant of minio.min.io' : 'Tenant'
  return `${kind} ${first.object.metadata.name} does not count: ${shown(first.parsed.problems)}`
}

function shown(problems: readonly ResourceProblem[]): string {
  const all = problems.map(({ path, message }) => (path === '' ? message : `${path} ${message}`))
  return all.join('; ').slice(0, 2000)
}

export const served: Verdict = { ready: true, reason: 'Served', message: 'Is sound and counts' }

const absent = 'The tenant has no policy '

/** The names that `judge` was told of when it wrote this message: so every replica knows what one has found. */
export function missingIn(message: unknown): ReadonlySet<string> {
  if (typeof message !== 'string') return new Set()
  const start = message.indexOf(absent)
  const [names = ''] = start < 0 ? [] : message.slice(start + absent.length).split(';')
  return new Set(names.split(', ').filter((name) => name !== ''))
}

function policyProblem(
  { namespace, policies }: ServiceAccountBinding,
  directory: ClusterDirectory,
  resources: readonly TenantResource[],
  missing: ReadonlySet<string>,
): Verdict | undefined {
  const effect = resources.some(failsWithout)
    ? 'nothing is given until there is'
    : 'it is left out, with whatever it would have denied'
  // Policies of the tenant's own come from nowhere but the tenant.
  const inCluster = resources.filter(({ policySource }) => policySource !== 'tenant')
  const text = (name: string) =>
    inCluster.length === 0 ? undefined : directory.findPolicy(namespace, name)
  const broken = policies.filter((name) => text(name) === '')
  if (broken.length > 0) {
    const message = `Policy resource ${broken.join(', ')} is not valid; nothing is given until it is`
    return no('UnknownPolicy', message)
  }
  const absentHere = policies.filter((name) => text(name) === undefined)
  if (inCluster.some(hasNothingElse) && absentHere.length > 0) {
    const names = absentHere.join(', ')
    return no('UnknownPolicy', `There is no Policy resource ${names}; ${effect}`)
  }
  const absentThere = absentHere.filter((name) => missing.has(name))
  if (absentThere.length === 0) return undefined
  return no('UnknownPolicy', `${absent}${absentThere.join(', ')}; ${effect}`)
}

function resourceOf({ namespace, name }: Tenant, directory: ClusterDirectory) {
  return directory.findTenant(`${namespace}/${name}`) ?? []
}

/** Only MinIO, and who speaks like it, can be asked for policies by name. */
function hasNothingElse({ reach, policySource }: TenantResource): boolean {
  return policySource === 'resources' || (reach.kind === 'assume-role' && reach.dialect === 'aws')
}

/** What a gateway's sessions lack is never left out. */
function failsWithout({ reach, missingPolicy }: TenantResource): boolean {
  return reach.kind === 'gateway' || missingPolicy === 'fail'
}

function hasNoRoles({ reach }: TenantResource): boolean {
  return reach.kind === 'assume-role' && reach.dialect === 'minio'
}

function no(reason: Reason, message: string): Verdict {
  return { ready: false, reason, message }
}
