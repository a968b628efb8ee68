import type { Fields } from '../client.ts'
import type { MinioExport, MinioUser } from './export.ts'
import type { CarriedGroup, Memberships } from './groups.ts'
import { isDn } from './groups.ts'
import { compareKey, writeKey } from './keys.ts'
import { noteExtras, resolve } from './mappings.ts'
import type { CarriedPolicies } from './policies.ts'
import type { Standing, StandingUser } from './server.ts'
import { change, refusalOf } from './task.ts'
import type { Task } from './task.ts'

/** User of the archive that is here -> why none of its keys may begin to work; `undefined`: they may. */
export type CarriedUsers = ReadonlyMap<string, string | undefined>

type Around = Readonly<{
  given: MinioExport
  policies: CarriedPolicies
  memberships: Memberships
  standing: Standing
}>

const progressEvery = 1000

/**
 * Everything that a user has, and its key last: a run that breaks off leaves nobody who may do more than before, and can be
 * repeated.
 */
export async function carryUsers(
  task: Task,
  around: Around,
  progress: (done: number) => void,
): Promise<CarriedUsers> {
  const carried = new Map<string, string | undefined>()
  for (const [index, user] of around.given.users.entries()) {
    if (index > 0 && index % progressEvery === 0) progress(index)
    const taken = await carryUser(task, user, around)
    if (taken) carried.set(user.name, taken.incomplete)
  }
  reportStrangers(task, around.given)
  return carried
}

async function carryUser(
  task: Task,
  user: MinioUser,
  around: Around,
): Promise<{ incomplete: string | undefined } | undefined> {
  const { name } = user
  const there = around.standing.users.get(name)
  const left = (reason: string): undefined => {
    task.report.remark('user', name, 'left', reason)
  }
  const key: Fields = {
    UserName: name,
    AccessKeyId: name,
    SecretAccessKey: user.secret.reveal(),
    Status: 'Active',
  }
  const comparison = await compareKey(task, key)
  if ('refusal' in comparison) return left(comparison.refusal)
  const conflict = conflictOf(task, comparison.differences, there, around.standing.keys.get(name))
  if (conflict !== undefined) return left(conflict)
  const memberships = around.memberships.get(name) ?? []
  // Without any key it is what a run that broke off has left, if it is there at all.
  const isNobodys = comparison.differences === undefined
  const isKept = there?.enabled === true && !isNobodys && !task.replace
  const isOn = user.enabled && !isKept
  const off = isOn ? memberships.find(({ isDisabled }) => isDisabled) : undefined
  const wanted = { name, enabled: user.enabled && off === undefined }
  const status = await carryStatus(task, wanted, there, isNobodys)
  if ('refusal' in status) return left(status.refusal)
  const groups = await joinGroups(task, name, memberships, there)
  const policies = await mapUser(task, name, around, there)
  const incomplete = groups ?? policies
  if (incomplete !== undefined && comparison.differences === undefined) {
    left(`its key was held back, since ${incomplete}`)
    return { incomplete }
  }
  const refusal = await refusalOf(() => writeKey(task, key, comparison.differences))
  if (refusal !== undefined) return left(refusal)
  const isSame = there !== undefined && comparison.differences?.length === 0
  if (off !== undefined) task.report.remark('user', name, 'altered', disabledBy(off))
  else if (status.remark !== undefined) task.report.remark('user', name, 'altered', status.remark)
  else if (isSame && !status.changed) task.report.add('user', name, 'unchanged')
  else task.report.add('user', name, there === undefined ? 'carried' : outcomeOf(comparison))
  return { incomplete }
}

/** Releases of MinIO differ: in some such a user went on with its other policies, in some it may do nothing. */
function disabledBy({ name }: CarriedGroup): string {
  return `is disabled here, since its group "${name}" was, and MinIO may then have let it do nothing; if it shall work: daypass admin user enable`
}

function outcomeOf({ differences }: { differences: readonly string[] | undefined }) {
  return differences === undefined ? 'carried' : 'replaced'
}

/** Why what is here under this name is not this user. */
function conflictOf(
  task: Task,
  differences: readonly string[] | undefined,
  there: StandingUser | undefined,
  keys: readonly string[] = [],
): string | undefined {
  if (differences?.includes('user') === true)
    return 'the access key id belongs to another user here'
  if (task.replace) return undefined
  if (differences !== undefined && differences.length > 0) {
    return `the key is here already, with another ${differences.join(' and ')}; --replace takes that of the archive`
  }
  if (there !== undefined && differences === undefined && keys.length > 0) {
    return 'a user of this name is here already, with other keys: is it the same? --replace says so'
  }
  return undefined
}

/** A user that was enabled or disabled here on purpose stays so. */
async function carryStatus(
  task: Task,
  { name, enabled }: Pick<MinioUser, 'name' | 'enabled'>,
  there: StandingUser | undefined,
  isNobodys: boolean,
): Promise<{ changed: boolean; remark?: string } | { refusal: string }> {
  const isFresh = there === undefined
  if (!isFresh && there.enabled === enabled) return { changed: false }
  const word = enabled ? 'enabled' : 'disabled'
  if (!isNobodys && !task.replace) {
    return {
      changed: false,
      remark: `is ${word} in the archive and not here; --replace takes that over`,
    }
  }
  const refusal = await refusalOf(async () => {
    if (isFresh) await change(task, 'CreateUser', { UserName: name })
    if (!isFresh || !enabled) await change(task, 'SetUserStatus', { UserName: name, Status: word })
  })
  return refusal === undefined ? { changed: true } : { refusal }
}

/** @returns why the user is incomplete */
async function joinGroups(
  task: Task,
  name: string,
  groups: readonly CarriedGroup[],
  there: StandingUser | undefined,
): Promise<string | undefined> {
  let incomplete: string | undefined
  const wanted = new Set(groups.map((group) => group.name))
  const extras = [...(there?.groups ?? [])].filter((group) => !wanted.has(group))
  if (extras.length > 0) {
    task.report.note('membership', name, `is besides here in: ${extras.join(', ')}`)
  }
  for (const group of groups) {
    incomplete ??= group.incomplete
    const membership = `${name} in ${group.name}`
    if (there?.groups.has(group.name) === true) {
      task.report.add('membership', membership, 'unchanged')
      continue
    }
    const fields = { GroupName: group.name, UserName: name }
    const refusal = await refusalOf(() => change(task, 'AddUserToGroup', fields))
    if (refusal === undefined) task.report.add('membership', membership, 'carried')
    else {
      task.report.remark('membership', membership, 'left', refusal)
      incomplete ??= `it could not be put into group "${group.name}"`
    }
  }
  return incomplete
}

/** @returns why the user is incomplete */
async function mapUser(
  task: Task,
  name: string,
  { given, policies }: Around,
  there: StandingUser | undefined,
): Promise<string | undefined> {
  const names = given.userMappings.get(name)
  noteExtras(task, 'user mapping', name, there?.policies ?? new Set(), names ?? [], policies)
  if (names === undefined) return undefined
  const resolved = resolve(task, 'user mapping', name, names, policies)
  if (resolved.conflict !== undefined) return resolved.conflict
  const missing = resolved.policies.filter((policy) => there?.policies.has(policy.name) !== true)
  const refusal = await refusalOf(async () => {
    for (const { arn } of missing) {
      await change(task, 'AttachUserPolicy', { UserName: name, PolicyArn: arn })
    }
  })
  if (refusal !== undefined) {
    task.report.remark('user mapping', name, 'left', refusal)
    return 'its policies were not all carried over'
  }
  task.report.add('user mapping', name, missing.length > 0 ? 'carried' : 'unchanged')
  return undefined
}

function reportStrangers({ report }: Task, { users, userMappings }: MinioExport): void {
  const known = new Set(users.map(({ name }) => name))
  for (const name of userMappings.keys()) {
    if (known.has(name) || isDn(name)) continue
    report.remark('user mapping', name, 'left', 'there is no user of this name in the archive')
  }
}
