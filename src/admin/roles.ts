import { AdminError } from './admin-error.ts'
import { roleArn } from './arn.ts'
import { read, roleKey, write } from './documents.ts'
import type { RoleDocument } from './documents.ts'
import { storedRole } from './entities.ts'
import { refuseHeld } from './holders.ts'
import { join, nothing, put, unchanged } from './ledger.ts'
import { checkDescription, checkMaxSessionSeconds, checkRoleName, checkTags } from './names.ts'
import { newId } from './new-ids.ts'
import { parseGiven } from './parse-given.ts'
import type { Tools } from './tools.ts'
import type { Deletion, NewRole, Role } from './types.ts'

/** Changes of roles. */
export class Roles {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async create(role: NewRole): Promise<Role> {
    const { holders, ledger, random } = this.#tools
    const { name, permissionsBoundary } = role
    const given = checked(role)
    holders.refuseFile({ kind: 'role', name }, 'already_exists')
    const id = newId('AROA', random)
    return ledger.change(async () => {
      if (await ledger.get(roleKey(name))) {
        throw new AdminError('already_exists', `There is a role named "${name}" already`)
      }
      const document: RoleDocument = {
        ...given,
        id,
        policies: [],
        inline: [],
        createdAt: ledger.now(),
      }
      const own = {
        conditions: [{ key: roleKey(name), revision: 0 }],
        writes: [put(roleKey(name), write(document))],
      }
      const boundary =
        permissionsBoundary === undefined ? nothing : await holders.touchPolicy(permissionsBoundary)
      const result = storedRole(name, document)
      return { ...join(own, boundary), result }
    })
  }

  async delete(name: string, how: Deletion): Promise<void> {
    const { holders, ledger, options } = this.#tools
    holders.refuseFile({ kind: 'role', name }, 'unmodifiable')
    await ledger.change(async () => {
      const entry = await holders.find({ kind: 'role', name })
      if (how === 'bare') refuseHeld({ kind: 'role', name }, read('role', entry.value))
      return {
        conditions: [unchanged(entry)],
        writes: [{ kind: 'delete', key: entry.key }],
        result: undefined,
      }
    })
    await options.revokeRole({ name, arn: roleArn(name) })
  }

  async updateTrustPolicy(name: string, text: string): Promise<void> {
    const trustPolicy = parseGiven(text, 'trust').text
    await this.#tools.holders.change({ kind: 'role', name }, (role) => ({
      document: { ...role, trustPolicy },
    }))
  }

  async update(
    name: string,
    change: Readonly<{ description?: string; maxSessionSeconds?: number }>,
  ): Promise<void> {
    if (change.description !== undefined) checkDescription(change.description)
    if (change.maxSessionSeconds !== undefined) checkMaxSessionSeconds(change.maxSessionSeconds)
    await this.#tools.holders.change({ kind: 'role', name }, (role) => {
      const { description, ...rest } = { ...role, ...change }
      return {
        document: description === undefined || description === '' ? rest : { ...rest, description },
      }
    })
  }
}

function checked(role: NewRole): Omit<RoleDocument, 'id' | 'policies' | 'inline' | 'createdAt'> {
  const { description, maxSessionSeconds = 3600, permissionsBoundary, tags } = role
  checkRoleName(role.name)
  if (description !== undefined) checkDescription(description)
  checkMaxSessionSeconds(maxSessionSeconds)
  if (tags) checkTags(tags)
  return {
    trustPolicy: parseGiven(role.trustPolicy, 'trust').text,
    ...(description === undefined || description === '' ? {} : { description }),
    maxSessionSeconds,
    ...(permissionsBoundary === undefined ? {} : { boundary: permissionsBoundary }),
    tags: [...(tags ?? [])],
  }
}
