import type { Write } from '../state.ts'
import { AdminError } from './admin-error.ts'
import { groupKey, read, userKey, write } from './documents.ts'
import type { GroupDocument } from './documents.ts'
import { storedGroup } from './entities.ts'
import { refuseHeld } from './holders.ts'
import { join, nothing, put, unchanged } from './ledger.ts'
import type { Part } from './ledger.ts'
import { checkGroupName } from './names.ts'
import { newId } from './new-ids.ts'
import type { Tools } from './tools.ts'
import type { Deletion, Group } from './types.ts'

/** Changes of groups. Who is in one stands in the users' documents. */
export class Groups {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async create(name: string): Promise<Group> {
    const { holders, ledger, random } = this.#tools
    checkGroupName(name)
    holders.refuseFile({ kind: 'group', name }, 'already_exists')
    const id = newId('AGPA', random)
    return ledger.change(async () => {
      if (await ledger.get(groupKey(name))) {
        throw new AdminError('already_exists', `There is a group named "${name}" already`)
      }
      const document: GroupDocument = { id, policies: [], inline: [], createdAt: ledger.now() }
      return {
        conditions: [{ key: groupKey(name), revision: 0 }],
        writes: [put(groupKey(name), write(document))],
        result: { ...storedGroup(name, document), members: [] },
      }
    })
  }

  async delete(name: string, how: Deletion): Promise<void> {
    const { holders, ledger, snapshot } = this.#tools
    holders.refuseFile({ kind: 'group', name }, 'unmodifiable')
    await ledger.change(async () => {
      const entry = await holders.find({ kind: 'group', name })
      // Whoever joins the group writes it too, so a member that joins from now on fails the condition below.
      await ledger.caughtUp(entry)
      const members = snapshot.findGroup(name)?.members ?? []
      if (how === 'bare') {
        refuseHeld({ kind: 'group', name }, read('group', entry.value))
        refuseMembers(name, members)
      }
      const leaving = await Promise.all(members.map((member) => this.#leave(member, name)))
      const own: Part = {
        conditions: [unchanged(entry)],
        writes: [{ kind: 'delete', key: entry.key } satisfies Write],
      }
      return { ...join(own, ...leaving), result: undefined }
    })
  }

  /** A group made again under the same name must not find its old members in it. */
  async #leave(user: string, group: string): Promise<Part> {
    const entry = await this.#tools.ledger.get(userKey(user))
    if (!entry) return nothing
    const document = read('user', entry.value)
    const groups = document.groups.filter((other) => other !== group)
    return {
      conditions: [unchanged(entry)],
      writes: [put(entry.key, write({ ...document, groups }))],
    }
  }
}

function refuseMembers(name: string, members: readonly string[]): void {
  const [first] = members
  if (first === undefined) return
  throw new AdminError(
    'delete_conflict',
    `group "${name}" has members, "${first}" for one; remove them first`,
  )
}
