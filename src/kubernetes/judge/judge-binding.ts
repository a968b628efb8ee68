import type { ServiceAccountBinding, Tenant } from '../../grants/index.ts'
import {
  cannedPolicies,
  findExcess,
  parsePolicy,
  PolicyError,
  type Policy,
} from '../../policy/index.ts'
import type { ResourceProblem } from '../resources/parsed.ts'
import { judgeSubjects, coversSubject } from './judge-subjects.ts'
import { warning, type Surroundings } from './judgement.ts'

/** What is legal and yet probably not meant: it gives nothing, gives nothing new, or more than somebody wanted. */
export function judgeBinding(
  binding: ServiceAccountBinding,
  surroundings: Surroundings,
): readonly ResourceProblem[] {
  const { namespace, tenant: name, subjects, id } = binding
  const isPolicyBinding = id.startsWith('sts.min.io/')
  const paths = subjects.map((_, index) =>
    isPolicyBinding ? 'spec.application' : `spec.subjects.${index}`,
  )
  const tenants = surroundings.directory.findTenants({ namespace, name })
  return [
    ...judgeSubjects(binding, paths, surroundings),
    ...judgeTenants(binding, tenants, surroundings),
    ...tenants.flatMap((tenant) => judgePolicies(binding, tenant, surroundings)),
    ...binding.documents.flatMap((text, index) => lintOf(text, `spec.inline.${index}`)),
    ...tenants.flatMap((tenant) => judgeCeiling(binding, tenant, surroundings)),
    ...judgeOthers(binding, surroundings),
  ]
}

function judgeTenants(
  { namespace, tenant: name, maxSessionSeconds = 0 }: ServiceAccountBinding,
  tenants: readonly Tenant[],
  { directory, knowsTenants = true }: Surroundings,
): readonly ResourceProblem[] {
  if (tenants.length === 0 && !knowsTenants) return []
  if (tenants.length === 0) {
    const path = name === undefined ? 'metadata.namespace' : 'spec.tenant'
    const which = name === undefined ? 'no tenant' : `no tenant ${name}`
    const watched = directory.isWatched(namespace) ? '' : ' that is watched (watchedNamespaces)'
    return [
      warning(
        path,
        `there is ${which} in namespace ${namespace}${watched}, so nothing is given yet`,
      ),
    ]
  }
  const shortest = Math.min(...tenants.map((tenant) => tenant.maxSessionSeconds))
  if (maxSessionSeconds <= shortest) return []
  return [
    warning(
      'spec.maxSessionSeconds',
      `has no effect: the tenant allows ${shortest} seconds at most`,
    ),
  ]
}

/** Those that a tenant keeps itself are known to it alone. */
function judgePolicies(
  { namespace, policies }: ServiceAccountBinding,
  tenant: Tenant,
  { directory }: Surroundings,
): readonly ResourceProblem[] {
  const { policySource, missingPolicy } = directory.findTenant(`${namespace}/${tenant.name}`) ?? {}
  if (policySource !== 'resources') return []
  const consequence =
    missingPolicy === 'skip' ? 'it is left out' : 'nothing at all is given until there is'
  return policies.flatMap((policy, index) => {
    const text = directory.findPolicy(namespace, policy)
    if (text !== undefined && text !== '') return []
    if (text === undefined && cannedPolicies.has(policy)) return []
    const what = text === '' ? `Policy ${policy} is not valid` : `there is no Policy ${policy}`
    const message = `${what} in namespace ${namespace}, where tenant ${tenant.name} has its policies from; ${consequence}`
    return [warning(`spec.policies.${index}`, message)]
  })
}

export function lintOf(text: string, path: string): readonly ResourceProblem[] {
  return parsePolicy(text, 'identity').warnings.map((message) => warning(path, message))
}

type Part = Readonly<{ path: string; name: string; policy: Policy }>

function judgeCeiling(
  binding: ServiceAccountBinding,
  { name, ceiling }: Tenant,
  { directory, isLate }: Surroundings,
): readonly ResourceProblem[] {
  const bound = ceiling === undefined ? undefined : readPolicy(ceiling)
  if (bound === undefined) return []
  const warnings: ResourceProblem[] = []
  for (const { path, name: part, policy } of partsOf(binding, directory)) {
    if (isLate())
      return [...warnings, warning(path, 'was not held against the ceiling: no time left')]
    const excess = findExcess(policy, bound)
    if (excess === undefined) continue
    const { action, resource } = excess
    warnings.push(
      warning(
        path,
        `${part} allows ${action} on ${resource}, which the ceiling of tenant ${name} does not`,
      ),
    )
  }
  return warnings
}

/** The policies whose text is known here. */
function* partsOf(
  { namespace, policies, documents }: ServiceAccountBinding,
  directory: Surroundings['directory'],
): Generator<Part> {
  for (const [index, name] of policies.entries()) {
    const text = directory.findPolicy(namespace, name)
    const policy = text === undefined ? cannedPolicies.get(name) : readPolicy(text)
    if (policy) yield { path: `spec.policies.${index}`, name: `policy ${name}`, policy }
  }
  for (const [index, text] of documents.entries()) {
    const policy = readPolicy(text)
    if (policy) yield { path: `spec.inline.${index}`, name: 'the document', policy }
  }
}

export function readPolicy(text: string): Policy | undefined {
  try {
    return parsePolicy(text, 'identity')
  } catch (error) {
    if (error instanceof PolicyError) return undefined
    throw error
  }
}

/** Another one of the namespace that gives the same to the same, or more. */
function judgeOthers(
  binding: ServiceAccountBinding,
  { directory, homeCluster, isLate }: Surroundings,
): readonly ResourceProblem[] {
  let seen = 0
  for (const { parsed } of directory.allBindings()) {
    if ((seen += 1) % 20 === 0 && isLate()) {
      return [warning('', 'was not held against all other bindings: no time left')]
    }
    const other = parsed.value
    if (other === undefined || other.id === binding.id || !gives(other, binding)) continue
    const covers = binding.subjects.every((subject) =>
      other.subjects.some((wide) => coversSubject(wide, subject, homeCluster)),
    )
    // Of two that say the same, one has to be in the way of the other, not each.
    if (
      !covers ||
      (gives(binding, other) && binding.id < other.id && isMutual(binding, other, homeCluster))
    )
      continue
    return [warning('', `adds nothing: ${other.id} gives the same to the same service accounts`)]
  }
  return []
}

function isMutual(
  one: ServiceAccountBinding,
  other: ServiceAccountBinding,
  homeCluster: string,
): boolean {
  return other.subjects.every((subject) =>
    one.subjects.some((wide) => coversSubject(wide, subject, homeCluster)),
  )
}

/** The shortest session of all that fit counts, so one that shortens it is not without effect. */
function gives(other: ServiceAccountBinding, binding: ServiceAccountBinding): boolean {
  const { namespace, tenant, policies, documents, roleArn, maxSessionSeconds = Infinity } = binding
  return (
    other.namespace === namespace &&
    (other.tenant === undefined || other.tenant === tenant) &&
    policies.every((name) => other.policies.includes(name)) &&
    documents.every((text) => other.documents.includes(text)) &&
    (roleArn === undefined || roleArn === other.roleArn) &&
    (other.roleArn === undefined || roleArn === other.roleArn) &&
    (other.maxSessionSeconds ?? Infinity) <= maxSessionSeconds
  )
}
