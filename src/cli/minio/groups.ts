import { isWireCode } from '../client.ts'
import type { MinioExport, MinioGroup } from './export.ts'
import { noteExtras, resolve } from './mappings.ts'
import { renamed } from './policies.ts'
import type { CarriedPolicies } from './policies.ts'
import type { Standing } from './server.ts'
import { change, refusalOf } from './task.ts'
import type { Task } from './task.ts'

/** What has become of a group of the archive. */
export type CarriedGroup = Readonly<{
  /** Its name here. */
  name: string
  /** Whether it was off at MinIO. */
  isDisabled?: true
  /** Why its members must not begin to work: something that may deny is missing. */
  incomplete?: string
}>

/** Member of the archive -> its groups. */
export type Memberships = ReadonlyMap<string, readonly CarriedGroup[]>

/** Groups with their policies, before anybody is in them. */
export async function carryGroups(
  task: Task,
  given: MinioExport,
  policies: CarriedPolicies,
  standing: Standing,
): Promise<Memberships> {
  const memberships = new Map<string, CarriedGroup[]>()
  const users = new Set(given.users.map(({ name }) => name))
  for (const group of given.groups) {
    const carried = await carryGroup(task, group, standing)
    const incomplete =
      carried.incomplete ??
      (await mapGroup(task, group, carried.name, { given, policies, standing }))
    const whole: CarriedGroup = {
      name: carried.name,
      ...(incomplete === undefined ? {} : { incomplete }),
      ...(group.enabled ? {} : { isDisabled: true }),
    }
    for (const member of group.members) {
      const of = memberships.get(member) ?? []
      memberships.set(member, [...of, whole])
      if (!users.has(member)) {
        const why = 'there is no user of this name in the archive'
        task.report.remark('membership', `${member} in ${group.name}`, 'left', why)
      }
    }
  }
  reportStrangers(task, given)
  return memberships
}

async function carryGroup(
  task: Task,
  { name: given }: MinioGroup,
  standing: Standing,
): Promise<CarriedGroup> {
  const name = (await isNameable(task, given)) ? given : renamed(given)
  if (!standing.groups.has(name)) {
    const refusal = await refusalOf(() => change(task, 'CreateGroup', { GroupName: name }))
    if (refusal !== undefined) {
      task.report.remark('group', given, 'left', refusal)
      return { name, incomplete: `group "${given}" was not carried over` }
    }
  }
  if (name === given)
    task.report.add('group', name, standing.groups.has(name) ? 'unchanged' : 'carried')
  else task.report.remark('group', given, 'altered', `is called "${name}" here`)
  return { name }
}

async function isNameable({ client }: Task, name: string): Promise<boolean> {
  try {
    await client.call('iam', 'GetGroup', { GroupName: name, MaxItems: '1' })
    return true
  } catch (error) {
    if (isWireCode(error, 'NoSuchEntity')) return true
    if (isWireCode(error, 'ValidationError')) return false
    throw error
  }
}

/** @returns why it is incomplete */
async function mapGroup(
  task: Task,
  { name, enabled }: MinioGroup,
  here: string,
  {
    given,
    policies,
    standing,
  }: { given: MinioExport; policies: CarriedPolicies; standing: Standing },
): Promise<string | undefined> {
  const names = given.groupMappings.get(name)
  const attached = standing.groups.get(here) ?? new Set()
  noteExtras(task, 'group mapping', here, attached, enabled ? (names ?? []) : [], policies)
  if (names === undefined) return undefined
  if (!enabled) {
    const why = `the group is disabled, so its policies (${names.join(', ')}) counted for nobody; here they are not attached, since a group is never disabled`
    task.report.remark('group mapping', name, 'left', why)
    return undefined
  }
  const resolved = resolve(task, 'group mapping', name, names, policies)
  if (resolved.conflict !== undefined) return resolved.conflict
  const missing = resolved.policies.filter((policy) => !attached.has(policy.name))
  const refusal = await refusalOf(async () => {
    for (const { arn } of missing) {
      await change(task, 'AttachGroupPolicy', { GroupName: here, PolicyArn: arn })
    }
  })
  if (refusal !== undefined) {
    task.report.remark('group mapping', name, 'left', refusal)
    return `the policies of group "${name}" were not carried over`
  }
  task.report.add('group mapping', name, missing.length > 0 ? 'carried' : 'unchanged')
  return undefined
}

/** Mappings of groups that there are not. Those of a directory's groups are carried over elsewhere. */
function reportStrangers({ report }: Task, { groups, groupMappings }: MinioExport): void {
  const known = new Set(groups.map(({ name }) => name))
  for (const name of groupMappings.keys()) {
    if (known.has(name) || isDn(name)) continue
    report.remark('group mapping', name, 'left', 'there is no group of this name in the archive')
  }
}

/** MinIO's own names have no `=`; a distinguished name begins with one. */
export function isDn(name: string): boolean {
  return /^[^=,]+=/.test(name)
}
