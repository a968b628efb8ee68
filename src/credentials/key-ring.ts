import type { KeyObject } from 'node:crypto'
import { follow, type Follower } from '../follow.ts'
import type { Entry, State } from '../state.ts'
import { base32 } from './access-key-id.ts'
import { takeKey } from './aead.ts'
import { BoundedCache } from '../bounded-cache.ts'
import { Refresher } from './refresher.ts'
import {
  activeOf,
  firstRing,
  parseRing,
  printRing,
  rotated,
  withoutExpired,
} from './ring-document.ts'
import type { NewRingKey, RingDocument, StoredRingKey } from './ring-document.ts'
import { ringKey, type RingKey } from './ring-key.ts'
import type { RingKeyInfo, RingKeyStatus } from './types.ts'
import { createVault, type Vault } from './vault.ts'

export type KeyRingOptions = Readonly<{
  masterKey: KeyObject
  clock: () => Date
  random: (bytes: number) => Buffer
  /** No session lives longer than this: how long a retiring key is kept. Default: seven days. */
  longestSessionSeconds?: number
  /** For the log: the watch broke, or the store holds a ring that does not open. */
  onError?: (error: unknown) => void
}>

/** The ring in the store was sealed under another master key. A new one would end every session, so none is made. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError'
}

export const defaultLongestSessionSeconds = 604_800
/** Clocks of processes differ, and one that is cut off seals on for a while (`sealableMs`): retiring keys wait that long. */
const graceMs = 3_600_000
/** Without a sign of life from the store for this long, nobody knows which key is active. */
const sealableMs = 900_000
const dropEveryMs = 60_000
const refreshPauseMs = 100
const ringName = 'keyring/sessions'

type Snapshot = Readonly<{
  revision: number
  stored: RingDocument
  active: RingKey
  keys: ReadonlyMap<string, RingKey>
}>

/**
 * Opens the ring of session keys, or makes it at the first start; processes that start at once agree on one.
 * Throws a MasterKeyError when the ring was sealed under another master key.
 */
export async function openKeyRing(state: State, options: KeyRingOptions): Promise<KeyRing> {
  const ring = new KeyRing(state, options)
  await ring.start()
  return ring
}

/** The session keys that this process knows, kept in step with the store. */
export class KeyRing {
  readonly #state: State
  readonly #options: KeyRingOptions
  readonly #vault: Vault
  readonly #refresher = new Refresher(() => this.#load(), refreshPauseMs)
  /** Ids that the store did not know when asked: garbage tokens do not make us ask again. */
  readonly #unknown = new BoundedCache<true>(1024)
  #snapshot: Snapshot | undefined
  #follower: Follower | undefined
  #dropping: NodeJS.Timeout | undefined

  constructor(state: State, options: KeyRingOptions) {
    this.#state = state
    this.#options = options
    this.#vault = createVault(options.masterKey, options.random)
  }

  async start(): Promise<void> {
    await this.#loadOrMake()
    this.#follower = await follow({
      state: this.#state,
      prefix: ringName,
      clock: this.#options.clock,
      reset: (entries) => entries.forEach((entry) => this.#adoptQuietly(entry)),
      apply: (change) => this.#onChange(change.kind === 'put' ? change.entry : undefined),
      onError: (error) => this.#report(error),
    })
    this.#dropping = setInterval(() => {
      this.dropExpired().catch((error: unknown) => this.#report(error))
    }, dropEveryMs).unref()
  }

  /** The key that seals. Throws when the store has been silent for so long that it may have been retired. */
  get activeKey(): RingKey {
    const silentMs = this.#now() - (this.#follower?.lastProgressAt().getTime() ?? 0)
    if (Math.abs(silentMs) <= sealableMs) return this.#current().active
    throw new Error('the key ring has not been confirmed by the store for too long')
  }

  find(id: string): RingKey | undefined {
    return this.#snapshot?.keys.get(id)
  }

  /** Asks the store about a key that this process has not seen; rejects when the store does not answer. */
  async fetch(id: string): Promise<RingKey | undefined> {
    if (this.#unknown.get(id)) return undefined
    await this.#refresher.refresh()
    const found = this.find(id)
    if (!found) this.#unknown.set(id, true)
    return found
  }

  /** What may be told of the keys, oldest first. */
  list(): readonly RingKeyInfo[] {
    return this.#current().stored.map(infoOf)
  }

  /**
   * `next` seals from now on, `active` only opens. No live session ends. Calls that meet, in whatever process, make
   * one rotation; all of them answer with the ring after it.
   */
  async rotate(): Promise<readonly RingKeyInfo[]> {
    const before = activeOf((await this.#read()).stored).id
    await this.#change((stored) => {
      if (activeOf(stored).id !== before) return stored
      const now = new Date(this.#now())
      return rotated(stored, now, new Date(now.getTime() + this.#keepMs()), this.#newKey)
    })
    return this.list()
  }

  /** Drops the retiring keys whose last session is over. Runs by itself every minute. */
  async dropExpired(): Promise<void> {
    const drop = (stored: RingDocument): RingDocument => {
      const kept = withoutExpired(stored, new Date(this.#now()))
      return kept.length < stored.length ? kept : stored
    }
    const { stored } = this.#current()
    if (drop(stored) !== stored) await this.#change(drop)
  }

  async close(): Promise<void> {
    clearInterval(this.#dropping)
    await this.#follower?.close()
  }

  /** Compare-and-set until it holds. A change that gives the same document back writes nothing. */
  async #change(change: (stored: RingDocument) => RingDocument): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { stored, revision } = await this.#read()
      const changed = change(stored)
      if (changed === stored || (await this.#write(changed, revision))) return
    }
    throw new Error('the key ring kept changing while it was being changed')
  }

  async #write(stored: RingDocument, revision: number): Promise<boolean> {
    const value = printRing(stored)
    const answer = await this.#state.commit(
      [{ key: ringName, revision }],
      [{ kind: 'put', key: ringName, value }],
    )
    if (!answer.committed) return false
    this.#adopt({ key: ringName, value, revision: answer.revision })
    return true
  }

  async #loadOrMake(): Promise<void> {
    if (await this.#state.get(ringName)) return this.#load()
    if (!(await this.#write(firstRing(this.#newKey), 0))) await this.#load()
  }

  async #load(): Promise<void> {
    await this.#read()
  }

  /** The ring as it is in the store now. */
  async #read(): Promise<Snapshot> {
    const entry = await this.#state.get(ringName)
    if (!entry) throw new Error('the key ring is gone from the store')
    return this.#adopt(entry)
  }

  #onChange(entry: Entry | undefined): void {
    if (entry) this.#adoptQuietly(entry)
    else this.#report(new Error('the key ring was deleted from the store; its keys are still held'))
  }

  /** The watch brings what others wrote: what does not open is reported, and the keys we have stay. */
  #adoptQuietly(entry: Entry): void {
    if (entry.key !== ringName) return
    try {
      this.#adopt(entry)
    } catch (error) {
      this.#report(error)
    }
  }

  #adopt(entry: Entry): Snapshot {
    const known = this.#snapshot
    if (known && known.revision >= entry.revision) return known
    const stored = parseRing(entry.value)
    const keys = new Map(stored.map((key) => [key.id, this.find(key.id) ?? this.#open(key)]))
    const active = keys.get(activeOf(stored).id)
    if (!active) throw new Error('the key ring has no active key')
    const snapshot = { revision: entry.revision, stored, active, keys }
    this.#snapshot = snapshot
    return snapshot
  }

  #open(stored: StoredRingKey): RingKey {
    try {
      const bytes = Buffer.from(this.#vault.open(purposeOf(stored.id), stored.sealed), 'base64')
      return ringKey(stored.id, takeKey(bytes))
    } catch (cause) {
      const message =
        'the key ring in the store was sealed under another master key: start with the master key it was made with'
      throw new MasterKeyError(message, { cause })
    }
  }

  readonly #newKey: NewRingKey = (status: RingKeyStatus) => {
    const id = base32(this.#options.random(10)).toLowerCase()
    const bytes = this.#options.random(32)
    const sealed = this.#vault.seal(purposeOf(id), bytes.toString('base64'))
    bytes.fill(0)
    return { id, status, createdAt: new Date(this.#now()), sealed }
  }

  #current(): Snapshot {
    if (this.#snapshot) return this.#snapshot
    throw new Error('the key ring is not open')
  }

  #keepMs(): number {
    const longest = this.#options.longestSessionSeconds ?? defaultLongestSessionSeconds
    return longest * 1000 + graceMs
  }

  #now(): number {
    return this.#options.clock().getTime()
  }

  #report(error: unknown): void {
    this.#options.onError?.(error)
  }
}

function infoOf({ id, status, createdAt, retiredAt, lastExpiry }: StoredRingKey): RingKeyInfo {
  return {
    id,
    status,
    createdAt,
    ...(retiredAt && { retiredAt }),
    ...(lastExpiry && { lastExpiry }),
  }
}

function purposeOf(id: string): string {
  return `${ringName}/${id}`
}
