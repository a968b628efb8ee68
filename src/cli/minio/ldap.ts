import type { MinioExport } from './export.ts'
import { isDn } from './groups.ts'
import { resolve } from './mappings.ts'
import type { Resolved } from './mappings.ts'
import type { CarriedPolicies } from './policies.ts'
import { change, refusalOf } from './task.ts'
import type { Task } from './task.ts'

type Holder = Readonly<{ PrincipalKind: 'ldap-user' | 'ldap-group'; PrincipalName: string }>
type Mapping = Readonly<{ holder: Holder; resolved: Resolved }>

/**
 * Policies of people and groups of a directory. Who is in which group only the directory knows, so those that may deny come
 * first, and when one of them cannot be carried over none of the others is.
 */
export async function carryLdapMappings(
  task: Task,
  given: MinioExport,
  policies: CarriedPolicies,
): Promise<void> {
  const mappings = read(task, given, policies)
  let missing: string | undefined
  for (const mapping of mappings) {
    const { PrincipalName } = mapping.holder
    const reason = missing ?? mapping.resolved.conflict ?? (await carry(task, mapping))
    if (reason === undefined) continue
    task.report.remark('LDAP mapping', PrincipalName, 'left', reason)
    if (mapping.resolved.mayDeny || mapping.resolved.conflict !== undefined) {
      missing ??= `that of "${PrincipalName}", which may deny something, could not be carried over`
    }
  }
}

function read(task: Task, given: MinioExport, policies: CarriedPolicies): readonly Mapping[] {
  const found: Mapping[] = []
  const add = (
    PrincipalKind: Holder['PrincipalKind'],
    names: MinioExport['userMappings'],
  ): void => {
    for (const [PrincipalName, list] of names) {
      if (!isDn(PrincipalName)) continue
      const resolved = resolve(task, 'LDAP mapping', PrincipalName, list, policies)
      found.push({ holder: { PrincipalKind, PrincipalName }, resolved })
    }
  }
  add('ldap-user', given.stsUserMappings)
  add('ldap-user', given.userMappings)
  add('ldap-group', given.groupMappings)
  add('ldap-group', given.stsGroupMappings)
  reportOthers(task, given)
  const weight = ({ resolved }: Mapping): number =>
    Number(resolved.conflict !== undefined) * 2 + Number(resolved.mayDeny)
  return found.sort((a, b) => weight(b) - weight(a))
}

/** @returns why it stayed behind */
async function carry(task: Task, { holder, resolved }: Mapping): Promise<string | undefined> {
  let changed = false
  const refusal = await refusalOf(async () => {
    const there = await task.client.list('ListPrincipalPolicies', 'AttachedPolicies', holder)
    const attached = new Set(there.map((policy) => policy.text('PolicyName')))
    for (const { name, arn } of resolved.policies) {
      if (attached.has(name)) continue
      changed = true
      await change(task, 'AttachPrincipalPolicy', { ...holder, PolicyArn: arn })
    }
  })
  if (refusal !== undefined) {
    return `${refusal} (is the directory in the configuration of this server? Then run the import again)`
  }
  task.report.add('LDAP mapping', holder.PrincipalName, changed ? 'carried' : 'unchanged')
  return undefined
}

/** MinIO writes the mapping of whoever comes with a token or a certificate anew at each login. */
function reportOthers({ report }: Task, { stsUserMappings, stsGroupMappings }: MinioExport): void {
  for (const name of [...stsUserMappings.keys(), ...stsGroupMappings.keys()]) {
    if (isDn(name)) continue
    const why =
      'it is no name of a directory: the policies of a token or certificate are read from it at each login'
    report.remark('LDAP mapping', name, 'left', why)
  }
}
