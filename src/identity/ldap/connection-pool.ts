import { resultCodeOf, type LdapConnection } from './connection.ts'

type PoolOptions = Readonly<{
  /** Makes a connection that is ready for use. */
  open: () => Promise<LdapConnection>
  /** Connections at the same time. */
  most: number
  /** How long one may lie unused. */
  idleMs: number
  /** How long one is waited for. */
  waitMs: number
  /** How many may wait. */
  mostWaiting: number
}>

type Idle = Readonly<{ connection: LdapConnection; timer: NodeJS.Timeout }>
type Lease = Readonly<{ connection: LdapConnection; isReused: boolean }>
type Waiter = Readonly<{ give: (lease: Lease | undefined) => void; refuse: (error: Error) => void }>

/** A bounded number of connections of one kind, lent to one user at a time. */
export class ConnectionPool {
  readonly #options: PoolOptions
  readonly #idle: Idle[] = []
  readonly #waiting: Waiter[] = []
  #total = 0
  #isClosed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#total
  }

  /**
   * Lends a connection. When one that had lain idle turns out to be dead, the work is done once more with a new one; so
   * the work must bear being begun twice. @throws {Error} when none can be had in time
   */
  async use<T>(work: (connection: LdapConnection) => Promise<T>): Promise<T> {
    const lease = await this.#acquire()
    try {
      return await work(lease.connection)
    } catch (error) {
      // The others have lain idle as long, behind the same firewall perhaps: one after the other would be waited for.
      if (lease.isReused && isSilence(error)) this.#dropIdle()
      if (!lease.isReused || !isDeath(error)) throw error
      lease.connection.close()
    } finally {
      this.#release(lease.connection)
    }
    this.#dropIdle()
    const fresh = await this.#acquire()
    try {
      return await work(fresh.connection)
    } finally {
      this.#release(fresh.connection)
    }
  }

  /** What is lent is closed when it comes back. */
  close(): void {
    this.#isClosed = true
    this.#dropIdle()
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(closed())
  }

  async #acquire(): Promise<Lease> {
    if (this.#isClosed) throw closed()
    const idle = this.#takeIdle()
    if (idle !== undefined) return { connection: idle, isReused: true }
    if (this.#total >= this.#options.most) return (await this.#wait()) ?? this.#open()
    this.#total += 1
    return this.#open()
  }

  #takeIdle(): LdapConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer)
      if (idle.connection.isOpen) return idle.connection
      this.#total -= 1
    }
    return undefined
  }

  /** On a place that has been counted. */
  async #open(): Promise<Lease> {
    try {
      return { connection: await this.#options.open(), isReused: false }
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  #wait(): Promise<Lease | undefined> {
    if (this.#waiting.length >= this.#options.mostWaiting) {
      throw new Error('too many are waiting for a connection')
    }
    return new Promise((resolve, reject) => {
      const waiter = { give: settle(resolve), refuse: settle(reject) }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(new Error('no connection became free in time'))
      }, this.#options.waitMs)
      function settle<A>(use: (answer: A) => void): (answer: A) => void {
        return (answer) => {
          clearTimeout(timer)
          use(answer)
        }
      }
      this.#waiting.push(waiter)
    })
  }

  #release(connection: LdapConnection): void {
    if (!connection.isOpen || this.#isClosed) {
      connection.close()
      this.#leave()
      return
    }
    const waiter = this.#waiting.shift()
    if (waiter !== undefined) waiter.give({ connection, isReused: true })
    else this.#keep(connection)
  }

  /** Whoever waits longest gets the place, to open a connection; else it is free. */
  #leave(): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) this.#total -= 1
    else waiter.give(undefined)
  }

  #keep(connection: LdapConnection): void {
    const drop = () => {
      const at = this.#idle.findIndex((idle) => idle.connection === connection)
      if (at < 0) return
      clearTimeout(this.#idle.splice(at, 1)[0]?.timer)
      this.#total -= 1
      connection.close()
    }
    const timer = setTimeout(drop, this.#options.idleMs).unref()
    connection.onClose = drop
    this.#idle.push({ connection, timer })
  }

  #dropIdle(): void {
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer)
      this.#total -= 1
      connection.close()
    }
  }
}

/** The other side had closed it, perhaps long ago. Silence is not death: asking again would only wait again. */
function isDeath(error: unknown): boolean {
  return resultCodeOf(error) === undefined && !isSilence(error)
}

function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message.endsWith('Operation timed out')
}

function closed(): Error {
  return new Error('the directory is no longer used')
}
