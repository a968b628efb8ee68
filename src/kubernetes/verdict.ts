import type { ServiceAccountBinding, Tenant } from '../grants/index.ts'
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
    const which = name === undefined ? 'no tenant' : `no tenant ${name}`
    return no('UnknownTenant', `There is ${which} in namespace ${namespace}, or none that is valid`)
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
  const all = problems.map(({ path, message }) => (path === '' ? message : `${path} ${message}`))
  return no('Invalid', all.join('; ').slice(0, 2000))
}

export const served: Verdict = { ready: true, reason: 'Served', message: 'Is in use' }

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
  const effect = resources.some(({ missingPolicy }) => missingPolicy === 'fail')
    ? 'nothing is given until there is'
    : 'it is left out, with whatever it would have denied'
  // Policies of the tenant's own come from nowhere but the tenant.
  const inCluster = resources.filter(
    ({ reach, policySource }) => reach.kind === 'assume-role' && policySource !== 'tenant',
  )
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

function hasNoRoles({ reach }: TenantResource): boolean {
  return reach.kind === 'assume-role' && reach.dialect === 'minio'
}

function no(reason: Reason, message: string): Verdict {
  return { ready: false, reason, message }
}
