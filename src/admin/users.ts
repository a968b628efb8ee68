import type { Write } from '../state.ts'
import { AdminError } from './admin-error.ts'
import { accessKeyKey, groupKey, read, userKey, write } from './documents.ts'
import type { UserDocument } from './documents.ts'
import { storedUser } from './entities.ts'
import { refuseHeld } from './holders.ts'
import { join, nothing, put, touch, unchanged } from './ledger.ts'
import { checkTags, checkUserName } from './names.ts'
import { newId } from './new-ids.ts'
import type { Tools } from './tools.ts'
import type { Deletion, NewUser, User } from './types.ts'

const maxGroups = 50

/** Changes of users. */
export class Users {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async create(name: string, { permissionsBoundary, tags }: NewUser = {}): Promise<User> {
    const { holders, ledger, random } = this.#tools
    checkUserName(name)
    if (tags) checkTags(tags)
    holders.refuseFile({ kind: 'user', name }, 'already_exists')
    const id = newId('AIDA', random)
    return ledger.change(async () => {
      const existing = await ledger.get(userKey(name))
      if (existing) {
        throw new AdminError('already_exists', `There is a user named "${name}" already`)
      }
      const document: UserDocument = {
        id,
        status: 'enabled',
        policies: [],
        inline: [],
        accessKeys: [],
        groups: [],
        ...(permissionsBoundary === undefined ? {} : { boundary: permissionsBoundary }),
        tags: [...(tags ?? [])],
        createdAt: ledger.now(),
      }
      const own = {
        conditions: [{ key: userKey(name), revision: 0 }],
        writes: [put(userKey(name), write(document))],
      }
      const boundary =
        permissionsBoundary === undefined ? nothing : await holders.touchPolicy(permissionsBoundary)
      return { ...join(own, boundary), result: storedUser(name, document) }
    })
  }

  async delete(name: string, how: Deletion): Promise<void> {
    const { holders, ledger, options } = this.#tools
    holders.refuseFile({ kind: 'user', name }, 'unmodifiable')
    await ledger.change(async () => {
      const entry = await holders.find({ kind: 'user', name })
      const user = read('user', entry.value)
      if (how === 'bare') refuseDependents(name, user)
      return {
        conditions: [unchanged(entry)],
        writes: [
          { kind: 'delete', key: entry.key },
          ...user.accessKeys.map((id): Write => ({ kind: 'delete', key: accessKeyKey(id) })),
        ],
        result: undefined,
      }
    })
    // After the deletion no new session can begin; a user made again under this name must not revive the old ones.
    await options.revokeUser(name, 'deleted')
  }

  async setStatus(name: string, status: User['status']): Promise<void> {
    const { holders, options } = this.#tools
    await holders.change({ kind: 'user', name }, (user) => ({ document: { ...user, status } }))
    // Switched on again, the user begins anew: what was begun before does not come back.
    if (status === 'disabled') await options.revokeUser(name, 'disabled')
  }

  async addToGroup(group: string, user: string): Promise<void> {
    const { holders, ledger } = this.#tools
    holders.refuseFile({ kind: 'group', name: group }, 'unmodifiable')
    await holders.change({ kind: 'user', name: user }, async (document) => {
      const entry = await ledger.get(groupKey(group))
      if (!entry) throw new AdminError('no_such_entity', `There is no group named "${group}"`)
      const groups = [...new Set([...document.groups, group])].sort()
      if (groups.length > maxGroups) {
        throw new AdminError('limit_exceeded', `A user is in at most ${maxGroups} groups`)
      }
      return { document: { ...document, groups }, more: touch(entry) }
    })
  }

  async removeFromGroup(group: string, user: string): Promise<void> {
    const { holders } = this.#tools
    holders.refuseFile({ kind: 'group', name: group }, 'unmodifiable')
    await holders.change({ kind: 'user', name: user }, (document) => {
      if (!document.groups.includes(group)) {
        throw new AdminError('no_such_entity', `User "${user}" is not in group "${group}"`)
      }
      const groups = document.groups.filter((other) => other !== group)
      return { document: { ...document, groups } }
    })
  }
}

/** AWS IAM API reference, DeleteUser. A boundary and tags hold nobody back. */
function refuseDependents(name: string, user: UserDocument): void {
  refuseHeld({ kind: 'user', name }, user)
  if (user.accessKeys.length > 0) {
    throw new AdminError('delete_conflict', `user "${name}" has access keys; delete them first`)
  }
  if (user.groups.length > 0) {
    throw new AdminError(
      'delete_conflict',
      `user "${name}" is in groups; remove it from them first`,
    )
  }
}
