import type { Fields } from '../client.ts'
import type { MinioServiceAccount } from './export.ts'
import { isDn } from './groups.ts'
import { compareKey, writeKey } from './keys.ts'
import { refusalOf } from './task.ts'
import type { Task } from './task.ts'
import type { CarriedUsers } from './users.ts'

/** Users of the archive that are here, and whoever was here before. */
type Owners = Readonly<{ carried: CarriedUsers; standing: ReadonlyMap<string, unknown> }>

/** Further keys of users, each with its own bounds. After the users, since a key is what begins to work. */
export async function carryServiceAccounts(
  task: Task,
  accounts: readonly MinioServiceAccount[],
  owners: Owners,
): Promise<void> {
  for (const account of accounts) {
    const reason = await carry(task, account, owners)
    if (reason !== undefined) {
      task.report.remark('service account', account.accessKeyId, 'left', reason)
    }
  }
}

/** @returns why it stayed behind */
async function carry(
  task: Task,
  account: MinioServiceAccount,
  owners: Owners,
): Promise<string | undefined> {
  const { accessKeyId, expiresAt } = account
  if (accessKeyId === 'site-replicator-0')
    return 'it belongs to the replication between MinIO sites'
  if (expiresAt !== undefined && expiresAt <= task.now) {
    return `it expired at ${expiresAt.toISOString()}`
  }
  const owner = ownerOf(account, task.parents, owners)
  if ('reason' in owner) return owner.reason
  const key = fieldsOf(account, owner.user)
  const comparison = await compareKey(task, key)
  if ('refusal' in comparison) return comparison.refusal
  const { differences } = comparison
  if (differences?.includes('user') === true)
    return 'the access key id belongs to another user here'
  if (differences !== undefined && differences.length > 0 && !task.replace) {
    return `the key is here already, with another ${differences.join(' and ')}; --replace takes that of the archive`
  }
  const refusal = await refusalOf(() => writeKey(task, key, differences))
  if (refusal !== undefined) return refusal
  const outcome =
    differences === undefined ? 'carried' : differences.length > 0 ? 'replaced' : 'unchanged'
  task.report.add('service account', accessKeyId, outcome)
  return undefined
}

/** Who has it here. A key belongs to a user; whoever is somebody only at a provider has none. */
function ownerOf(
  { parent, isFederated }: MinioServiceAccount,
  parents: ReadonlyMap<string, string>,
  { carried, standing }: Owners,
): { user: string } | { reason: string } {
  const chosen = parents.get(parent)
  const user = chosen ?? parent
  if (carried.has(user)) {
    const incomplete = carried.get(user)
    return incomplete === undefined
      ? { user }
      : { reason: `held back like the key of its user "${user}", since ${incomplete}` }
  }
  if (chosen !== undefined) {
    return standing.has(chosen)
      ? { user }
      : { reason: `--parent gives it to "${chosen}", but there is no such user here` }
  }
  const hint = 'make a user for it here, and name it with --parent'
  if (isDn(parent)) return { reason: `its parent is "${parent}" of a directory; ${hint}` }
  if (isFederated)
    return { reason: `its parent "${parent}" is somebody of an OpenID provider; ${hint}` }
  return {
    reason: `its parent "${parent}" is no user that was carried over: is it MinIO's root, or somebody of a provider? Then ${hint}`,
  }
}

function fieldsOf(account: MinioServiceAccount, user: string): Fields {
  return {
    UserName: user,
    AccessKeyId: account.accessKeyId,
    SecretAccessKey: account.secret.reveal(),
    Status: account.enabled ? 'Active' : 'Inactive',
    KeyName: account.name,
    Description: account.description,
    ExpireDate: account.expiresAt?.toISOString(),
    PolicyDocument: account.policy,
  }
}
