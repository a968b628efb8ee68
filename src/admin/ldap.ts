import { ldapKey, read, write } from './documents.ts'
import { withName, withoutName } from './holders.ts'
import { join, put, unchanged } from './ledger.ts'
import type { Part } from './ledger.ts'
import { checkLdapSubject } from './names.ts'
import type { Tools } from './tools.ts'
import type { LdapSubject } from './types.ts'

/** Policies of users and groups of a directory service, which need not exist: nobody asks the directory here. */
export class LdapPolicies {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async attach(subject: LdapSubject, policy: string): Promise<void> {
    const { ledger, holders } = this.#tools
    checkLdapSubject(subject)
    const key = ldapKey(subject)
    await ledger.change(async () => {
      const entry = await ledger.get(key)
      const before = entry ? read(subject.kind, entry.value).policies : []
      const own: Part = {
        conditions: [entry ? unchanged(entry) : { key, revision: 0 }],
        writes: [put(key, write({ policies: withName(before, policy) }))],
      }
      return { ...join(own, await holders.touchPolicy(policy)), result: undefined }
    })
  }

  /** What has no policies any more is not kept. */
  async detach(subject: LdapSubject, policy: string): Promise<void> {
    const { ledger } = this.#tools
    checkLdapSubject(subject)
    const key = ldapKey(subject)
    await ledger.change(async () => {
      const entry = await ledger.get(key)
      const before = entry ? read(subject.kind, entry.value).policies : []
      const policies = withoutName(before, policy, `${subject.kind} "${subject.name}"`)
      return {
        conditions: [entry ? unchanged(entry) : { key, revision: 0 }],
        writes: [policies.length > 0 ? put(key, write({ policies })) : { kind: 'delete', key }],
        result: undefined,
      }
    })
  }
}
