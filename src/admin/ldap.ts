import type { Entry } from '../state.ts'
import { ldapKey, read, write } from './documents.ts'
import { withName, withoutName } from './holders.ts'
import { join, put, unchanged } from './ledger.ts'
import type { Part } from './ledger.ts'
import { checkLdapSubject } from './names.ts'
import type { Tools } from './tools.ts'
import type { LdapSubject } from './types.ts'

type Place = Readonly<{ key: string; entry: Entry | undefined; policies: readonly string[] }>

/** Policies of users and groups of a directory service, which need not exist: nobody asks the directory here. */
export class LdapPolicies {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async attach(subject: LdapSubject, policy: string): Promise<void> {
    const { ledger, holders } = this.#tools
    checkLdapSubject(subject)
    await ledger.change(async () => {
      const [first, ...others] = await this.#placesOf(subject)
      const place = others.find(({ policies }) => policies.includes(policy)) ?? first
      const own = changed(place, withName(place.policies, policy))
      return { ...join(own, await holders.touchPolicy(policy)), result: undefined }
    })
  }

  /** Wherever it stands. What has no policies any more is not kept. */
  async detach(subject: LdapSubject, policy: string): Promise<void> {
    checkLdapSubject(subject)
    await this.#tools.ledger.change(async () => {
      const places = await this.#placesOf(subject)
      const holding = places.filter(({ policies }) => policies.includes(policy))
      const whose = `${subject.kind} "${subject.name}"`
      const parts = (holding.length > 0 ? holding : places.slice(0, 1)).map((place) =>
        changed(place, withoutName(place.policies, policy, whose)),
      )
      return { ...join(...parts), result: undefined }
    })
  }

  /**
   * Where the policies of somebody stand; new ones go to the first place. With one directory it goes without saying whose
   * people they are, so that it may be called something else one day. Whatever was written then belongs, when there are
   * several, to the one that its name is taken for.
   */
  async #placesOf(subject: LdapSubject): Promise<readonly [Place, ...Place[]]> {
    const { kind, name } = subject
    const { ldapHome } = this.#tools.options
    const home = ldapHome?.(name)
    const directory = subject.directory ?? home
    const unsaid = ldapKey({ kind, name })
    if (directory === undefined) return [await this.#read(kind, unsaid)]
    const said = ldapKey({ kind, name, directory })
    if (home === undefined) return [await this.#read(kind, unsaid), await this.#read(kind, said)]
    const first = await this.#read(kind, said)
    return directory === home ? [first, await this.#read(kind, unsaid)] : [first]
  }

  async #read(kind: LdapSubject['kind'], key: string): Promise<Place> {
    const entry = await this.#tools.ledger.get(key)
    return { key, entry, policies: entry ? read(kind, entry.value).policies : [] }
  }
}

function changed({ key, entry }: Place, policies: readonly string[]): Part {
  return {
    conditions: [entry ? unchanged(entry) : { key, revision: 0 }],
    writes: [policies.length > 0 ? put(key, write({ policies })) : { kind: 'delete', key }],
  }
}
