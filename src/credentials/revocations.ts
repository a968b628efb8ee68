import { follow, type Follower } from '../follow.ts'
import type { Change, Entry, State } from '../state.ts'
import { base32 } from './access-key-id.ts'
import { defaultLongestSessionSeconds } from './key-ring.ts'
import { assertNarrow, parseRevocation, printRevocation } from './revocation-document.ts'
import { RevocationIndex } from './revocation-index.ts'
import type { NewRevocation, RevocationRule, Session } from './types.ts'

export type RevocationsOptions = Readonly<{
  clock: () => Date
  random: (bytes: number) => Buffer
  /** The promise: without a sign of life from the store for longer than this, nobody is let in. Default: 2000. */
  stalenessMs?: number
  /** How long a rule is kept. Default: seven days. */
  longestSessionSeconds?: number
  /** For the log: the watch broke, or a rule in the store cannot be understood. */
  onError?: (error: unknown) => void
}>

const prefix = 'revocation/'
/** Clocks of processes differ; a rule lives that much longer than the sessions that it meets. */
const graceMs = 3_600_000

/** Reads the rules and follows them from then on. Rejects when the store cannot be read. */
export async function openRevocations(
  state: State,
  options: RevocationsOptions,
): Promise<Revocations> {
  const revocations = new Revocations(state, options)
  await revocations.start()
  return revocations
}

/** Who was shut out, known to every process within the time of the promise. */
export class Revocations {
  readonly #state: State
  readonly #options: RevocationsOptions
  #index = new RevocationIndex()
  /** Made here, with their revisions: a list that was read before one of them must not take it away again. */
  #own: readonly Readonly<{ revision: number; rule: RevocationRule }>[] = []
  /** Entries that this version does not understand. They may mean anybody, so nobody is let in. */
  #unreadable = new Set<string>()
  #follower: Follower | undefined

  constructor(state: State, options: RevocationsOptions) {
    this.#state = state
    this.#options = options
  }

  async start(): Promise<void> {
    this.#follower = await follow({
      state: this.#state,
      prefix,
      clock: this.#options.clock,
      reset: (entries, revision) => this.#reset(entries, revision),
      apply: (change) => this.#apply(change),
      onError: (error) => this.#options.onError?.(error),
    })
  }

  /**
   * Durable in the store and in force in this process on return, in the others within the promise. Sessions issued
   * after `issuedBefore` (now, when absent), even one millisecond, are not met: a new sign-in works at once.
   */
  async revoke(rule: NewRevocation): Promise<RevocationRule> {
    const complete = this.#complete(rule)
    const key = `${prefix}${complete.id}`
    const answer = await this.#state.commit(
      [{ key, revision: 0 }],
      [{ kind: 'put', key, value: printRevocation(complete), expiresAt: complete.expiresAt }],
    )
    if (!answer.committed) throw new Error('a new revocation met an old one of the same id')
    const { revision } = answer
    this.#own = [
      ...this.#own.filter((own) => own.revision > this.#seen()),
      { revision, rule: complete },
    ]
    this.#index.put(complete)
    return complete
  }

  list(): readonly RevocationRule[] {
    return this.#index.list()
  }

  /** The rule that ends this session, if there is one. */
  find(session: Session): RevocationRule | undefined {
    return this.#index.find(session)
  }

  /**
   * Whether what we know is young enough to be trusted. @param now the present, not the arrival of a request: a
   * clock that was set back makes what we know old, too.
   */
  isFresh(now: Date): boolean {
    if (!this.#follower || this.#unreadable.size > 0) return false
    const age = Math.abs(now.getTime() - this.#follower.lastProgressAt().getTime())
    return age <= (this.#options.stalenessMs ?? 2000)
  }

  async close(): Promise<void> {
    await this.#follower?.close()
  }

  #complete(rule: NewRevocation): RevocationRule {
    const issuedBefore = rule.issuedBefore ?? this.#options.clock()
    const longest = this.#options.longestSessionSeconds ?? defaultLongestSessionSeconds
    const expiries = [issuedBefore.getTime() + longest * 1000 + graceMs, rule.expiresAt?.getTime()]
    const expiresAt = new Date(Math.max(...expiries.filter((time) => time !== undefined)))
    const id = base32(this.#options.random(10)).toLowerCase()
    return assertNarrow(parseRevocation(printRevocation({ ...rule, id, issuedBefore, expiresAt })))
  }

  #seen(): number {
    return this.#follower?.revision() ?? 0
  }

  #reset(entries: readonly Entry[], revision: number): void {
    this.#index = new RevocationIndex()
    this.#unreadable = new Set()
    for (const entry of entries) this.#put(entry)
    for (const own of this.#own) if (own.revision > revision) this.#index.put(own.rule)
  }

  #apply(change: Change): void {
    if (change.kind === 'put') return this.#put(change.entry)
    this.#unreadable.delete(change.key)
    this.#index.delete(change.key.slice(prefix.length))
  }

  #put(entry: Entry): void {
    try {
      const rule = parseRevocation(entry.value)
      if (`${prefix}${rule.id}` !== entry.key) throw new Error('it stands under another id')
      this.#unreadable.delete(entry.key)
      this.#index.put(rule)
    } catch (cause) {
      this.#unreadable.add(entry.key)
      const message = `the revocation "${entry.key}" cannot be understood: sessions are refused while it is there`
      this.#options.onError?.(new Error(message, { cause }))
    }
  }
}
