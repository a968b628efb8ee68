import type { MirrorTarget } from '../mirror.ts'

/** A service account that is not there any more, or another one of the same name is. */
export type Departure = Readonly<{
  namespace: string
  serviceAccount: string
  at: Date
  /** There is another one of that name already. */
  isReplaced: boolean
}>

/** Nobody deletes more accounts in a minute whom anybody cares for. The oldest are left out. */
const most = 10_000

/**
 * Which service accounts of the cluster have gone of late. Every replica keeps them for a while, so that the one that takes
 * the lead knows of those that went while nobody had it.
 */
export class Departures {
  readonly #clock: () => Date
  readonly #uids = new Map<string, string | undefined>()
  /** Gone, and not come back. */
  readonly #missed = new Set<string>()
  #gone: Departure[] = []
  #returned: string[] = []
  #onDeparture: () => void = () => undefined

  constructor(clock: () => Date) {
    this.#clock = clock
  }

  /** Where a mirror of service accounts leaves what it sees. */
  readonly target: MirrorTarget = {
    put: ({ metadata: { namespace = '', name, uid } }) => {
      const account = `${namespace}/${name}`
      const isAnother = this.#uids.has(account) && this.#uids.get(account) !== uid
      this.#uids.set(account, uid)
      if (isAnother) this.#depart(namespace, name, true)
      else if (this.#missed.delete(account)) this.#returned.push(account)
    },
    delete: (namespace, name) => {
      this.#uids.delete(`${namespace}/${name}`)
      this.#depart(namespace, name, false)
    },
  }

  /** Told after each one. */
  listen(onDeparture: () => void): void {
    this.#onDeparture = onDeparture
  }

  /** All, once; with those `NAMESPACE/NAME` that have come back. */
  drain(): Readonly<{ gone: readonly Departure[]; returned: readonly string[] }> {
    const returned = this.#returned.splice(0).filter((account) => !this.#missed.has(account))
    return { gone: this.#gone.splice(0), returned }
  }

  forgetBefore(instant: Date): void {
    this.#gone = this.#gone.filter(({ at }) => at.getTime() >= instant.getTime())
    const kept = new Set(this.#gone.map((one) => `${one.namespace}/${one.serviceAccount}`))
    this.#returned = this.#returned.filter((account) => kept.has(account))
  }

  #depart(namespace: string, serviceAccount: string, isReplaced: boolean): void {
    if (this.#gone.length >= most) this.#gone.shift()
    this.#gone.push({ namespace, serviceAccount, at: this.#clock(), isReplaced })
    if (!isReplaced) this.#missed.add(`${namespace}/${serviceAccount}`)
    const [oldest] = this.#missed
    if (this.#missed.size > most && oldest !== undefined) this.#missed.delete(oldest)
    this.#onDeparture()
  }
}
