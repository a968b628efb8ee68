import { cannedPolicies, findExcess } from '../../policy/index.ts'
import type { ResourceKind } from '../kept.ts'
import { parseBinding } from '../resources/binding.ts'
import { objectOf, type KubeObject } from '../resources/object.ts'
import type { Parsed, ResourceProblem } from '../resources/parsed.ts'
import { parsePolicyBinding } from '../resources/policy-binding.ts'
import { parsePolicyResource, type PolicyResource } from '../resources/policy.ts'
import { parseTenant, type TenantResource } from '../resources/tenant.ts'
import { judgeBinding, lintOf, readPolicy } from './judge-binding.ts'
import { warning, type Judgement, type Surroundings } from './judgement.ts'

/** Kinds that are judged; of MinIO's tenants we are only a reader. */
export type JudgedKind = Exclude<ResourceKind, 'MinioTenant'>

const kinds: ReadonlyMap<string, ResourceKind> = new Map([
  ['sts.min.io/v1beta1 PolicyBinding', 'PolicyBinding'],
  ['sts.min.io/v1alpha1 PolicyBinding', 'PolicyBinding'],
  ['daypass.dev/v1 Binding', 'Binding'],
  ['daypass.dev/v1 Policy', 'Policy'],
  ['daypass.dev/v1 Tenant', 'Tenant'],
  ['minio.min.io/v2 Tenant', 'MinioTenant'],
])

/** `undefined`: none that we know. */
export function kindNamed(apiVersion: unknown, kind: unknown): ResourceKind | undefined {
  return kinds.get(`${String(apiVersion)} ${String(kind)}`)
}

/**
 * What admission and `daypass lint` say of a resource. The same parsers judge it that decide whether it counts.
 * @param surroundings absent: what else there is, is not known, and only the resource itself is looked at
 */
export function judgeResource(
  kind: JudgedKind,
  object: unknown,
  surroundings: Surroundings | undefined,
): Judgement {
  switch (kind) {
    case 'PolicyBinding':
      return judge(parsePolicyBinding(object), (binding) =>
        surroundings ? judgeBinding(binding, surroundings) : [],
      )
    case 'Binding':
      return judge(parseBinding(object), (binding) =>
        surroundings
          ? judgeBinding(binding, surroundings)
          : binding.documents.flatMap((text, index) => lintOf(text, `spec.inline.${index}`)),
      )
    case 'Policy':
      return judge(parsePolicyResource(object), (policy) => judgePolicy(policy, surroundings))
    case 'Tenant':
      return judge(parseTenant(object), (tenant) => judgeTenant(tenant, surroundings))
  }
  return kind satisfies never
}

function judge<T>(
  { value, problems }: Parsed<T>,
  warningsOf: (value: T) => readonly ResourceProblem[],
): Judgement {
  return { problems, warnings: value === undefined ? [] : warningsOf(value) }
}

function judgePolicy(
  { namespace, name, text }: PolicyResource,
  surroundings: Surroundings | undefined,
): readonly ResourceProblem[] {
  const warnings = [...lintOf(text, 'spec.document')]
  if (cannedPolicies.has(name)) {
    warnings.push(
      warning('metadata.name', `takes the place of the policy ${name} that is there anyway`),
    )
  }
  const policy = readPolicy(text)
  for (const tenant of surroundings?.directory.findTenants({ namespace }) ?? []) {
    const ceiling = tenant.ceiling === undefined ? undefined : readPolicy(tenant.ceiling)
    const excess = policy && ceiling && findExcess(policy, ceiling)
    if (excess === undefined) continue
    const { action, resource } = excess
    warnings.push(
      warning(
        'spec.document',
        `allows ${action} on ${resource}, which the ceiling of tenant ${tenant.name} does not`,
      ),
    )
  }
  return warnings
}

function judgeTenant(
  { namespace, name, reach, ceiling, missingPolicy }: TenantResource,
  surroundings: Surroundings | undefined,
): readonly ResourceProblem[] {
  const warnings = ceiling === undefined ? [] : [...lintOf(ceiling, 'spec.ceiling.document')]
  if (reach.kind === 'assume-role' && reach.insecureHttp && reach.endpoint.startsWith('http:')) {
    warnings.push(warning('spec.target.assumeRole.endpoint', 'credentials travel in plain text'))
  }
  if (missingPolicy === 'skip') {
    const message =
      'with skip, a policy that is not there denies nothing: what it forbids is allowed'
    warnings.push(warning('spec.missingPolicy', message))
  }
  const others = surroundings?.directory.findTenants({ namespace }) ?? []
  const names = others.map((other) => other.name).filter((other) => other !== name)
  if (names.length > 0) {
    const message = `namespace ${namespace} has ${names.slice(0, 5).join(', ')}, too: callers must say which (/sts/${namespace}/${name})`
    warnings.push(warning('metadata.name', message))
  }
  if (surroundings && !surroundings.directory.isWatched(namespace)) {
    warnings.push(warning('metadata.namespace', 'is not watched (watchedNamespaces)'))
  }
  return warnings
}

/** Who loses something when it goes. */
export function judgeRemoval(
  kind: JudgedKind,
  { metadata: { namespace = '', name } }: KubeObject,
  { directory }: Surroundings,
): readonly ResourceProblem[] {
  if (kind !== 'Policy' && kind !== 'Tenant') return []
  const users: string[] = []
  for (const { parsed } of directory.allBindings()) {
    const binding = parsed.value
    if (binding?.namespace !== namespace) continue
    const uses = kind === 'Policy' ? binding.policies.includes(name) : binding.tenant === name
    if (uses) users.push(binding.id)
  }
  if (users.length === 0) return []
  const shown = users.slice(0, 5).join(', ')
  const more = users.length > 5 ? ` and ${users.length - 5} more` : ''
  return [warning('', `${kind} ${name} is used by ${shown}${more}`)]
}

/** Whether two states of an object ask for the same. */
export function specOf(object: unknown): unknown {
  return objectOf(object)['spec']
}
