import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'undici'
import { BoundedCache } from '../bounded-cache.ts'
import { errorCodeOf, parseInfoRegion, parsePolicyAnswer } from './answers.ts'
import { failureOf, openPool, sendSigned, wayKey } from './connection.ts'
import type { Answer, Call, Way } from './connection.ts'
import { TargetFailure, unreachable } from './target-failure.ts'
import type { BrokerCredentials } from './types.ts'

export type Ground = Readonly<{ clock: () => Date; random: (bytes: number) => Buffer }>

/** Of exchanges at one tenant at the same time; who comes then is told to come again. */
const mostInFlight = 64
const attempts = 3
/** How long one round of reading, with all its attempts, may take; several exchanges may wait for the same one. */
const readMs = 4500
/** How long a policy of the tenant's is remembered, or that there is none. */
const policyMs = 10_000
/** How long it counts that a tenant does not tell its region. */
const regionMs = 300_000
export const defaultRegion = 'us-east-1'

type Remembered<T> = Readonly<{ at: number; value: Promise<T> }>

/** One tenant, its connections, and what it told us lately. */
export class TenantClient {
  readonly key: string
  readonly #way: Way
  readonly #ground: Ground
  readonly #policies = new BoundedCache<Remembered<string | undefined>>(100)
  #pool: Promise<Pool> | undefined
  #region: Remembered<string> | undefined
  #regionIsTold = false
  #inFlight = 0
  #isClosed = false

  constructor(way: Way, ground: Ground) {
    this.key = wayKey(way)
    this.#way = way
    this.#ground = ground
  }

  /** Runs it unless too many run already: a tenant that hangs must not hold everything that there is. */
  async enter<T>(run: () => Promise<T>): Promise<T> {
    if (this.#inFlight >= mostInFlight) throw unreachable('too many are waiting for it already')
    this.#inFlight += 1
    try {
      return await run()
    } finally {
      this.#inFlight -= 1
    }
  }

  /**
   * An answer of success. What is worth it is tried again, as long as the signal lets it.
   * @throws TargetFailure
   */
  async call(call: Call, broker: BrokerCredentials, signal: AbortSignal): Promise<string> {
    const answer = await this.#patiently(call, broker, signal)
    if (answer.status >= 200 && answer.status < 300) return answer.body
    throw failureOf(answer)
  }

  /**
   * The document of a named policy, by MinIO's admin API. Remembered for ten seconds; one request in flight for a name.
   * @returns `undefined` when the tenant says that there is none
   */
  policy(name: string, region: string, broker: BrokerCredentials): Promise<string | undefined> {
    return this.#remember(
      this.#policies.get(name),
      policyMs,
      (kept) => (kept ? this.#policies.set(name, kept) : this.#policies.delete(name)),
      () => this.#readPolicy(name, region, broker),
    )
  }

  /**
   * Asked of MinIO once, and again when it refuses what is signed for it. Who does not tell us is signed for in the default
   * region, and asked again after a while.
   */
  region(broker: BrokerCredentials): Promise<string> {
    return this.#remember(
      this.#region,
      this.#regionIsTold ? Infinity : regionMs,
      (kept) => {
        this.#region = kept
      },
      () => this.#readRegion(broker),
    )
  }

  /** It said no: perhaps because it is in another region now. */
  forgetRegion(): void {
    this.#region = undefined
  }

  async close(): Promise<void> {
    this.#isClosed = true
    // What never opened need not be closed.
    const pool = await this.#pool?.catch(() => undefined)
    await pool?.close()
  }

  #remember<T>(
    known: Remembered<T> | undefined,
    forMs: number,
    keep: (kept: Remembered<T> | undefined) => void,
    read: () => Promise<T>,
  ): Promise<T> {
    const at = this.#ground.clock().getTime()
    // Absolute: a clock that was set back does not keep old answers.
    if (known !== undefined && Math.abs(at - known.at) < forMs) return known.value
    const value = read()
    keep({ at, value })
    // Whoever waits for it hears of it; the next one asks anew.
    value.catch(() => keep(undefined))
    return value
  }

  async #readPolicy(
    name: string,
    region: string,
    broker: BrokerCredentials,
  ): Promise<string | undefined> {
    const call = {
      method: 'GET',
      path: '/minio/admin/v3/info-canned-policy',
      query: `name=${encodeURIComponent(name)}&v=2`,
      service: 's3',
      region,
      maxAnswerBytes: 256 * 1024,
    } as const
    const answer = await this.#patiently(call, broker, AbortSignal.timeout(readMs))
    const isMissing =
      answer.status === 404 && errorCodeOf(answer.body) === 'XMinioAdminNoSuchPolicy'
    if (isMissing) return undefined
    if (answer.status !== 200) throw failureOf(answer)
    const text = parsePolicyAnswer(answer.body, name)
    if (text === undefined) throw unreachable('its answer is not one about that policy')
    return text
  }

  async #readRegion(broker: BrokerCredentials): Promise<string> {
    const call = {
      method: 'GET',
      path: '/minio/admin/v3/info',
      query: 'metrics=false',
      service: 's3',
      region: defaultRegion,
      maxAnswerBytes: 4 * 1024 * 1024,
    } as const
    const answer = await this.#patiently(call, broker, AbortSignal.timeout(readMs))
    const told = answer.status === 200 ? parseInfoRegion(answer.body) : undefined
    this.#regionIsTold = told !== undefined
    if (answer.status === 200) return told || defaultRegion
    const failure = failureOf(answer)
    // A broker that may not ask is one that can still be served, where the region does not matter.
    if (failure.kind === 'target_refused') return defaultRegion
    throw failure
  }

  async #patiently(call: Call, broker: BrokerCredentials, signal: AbortSignal): Promise<Answer> {
    const pool = await this.#open()
    for (let attempt = 1; ; attempt += 1) {
      const now = this.#ground.clock()
      const answer = await sendSigned(pool, this.#way.origin, call, broker, { now, signal }).catch(
        (error: unknown) => {
          if (error instanceof TargetFailure) return error
          throw error
        },
      )
      const failure = answer instanceof TargetFailure ? answer : failureIn(answer)
      const isOver =
        failure?.kind !== 'target_unavailable' || attempt === attempts || signal.aborted
      if (!isOver) {
        await this.#pause(attempt, signal)
        continue
      }
      if (answer instanceof TargetFailure) throw answer
      return answer
    }
  }

  /** 150 ms, 600 ms, each with up to as much again. */
  async #pause(attempt: number, signal: AbortSignal): Promise<void> {
    const [spread = 0] = this.#ground.random(1)
    const ms = 150 * 4 ** (attempt - 1) * (1 + spread / 255)
    // When time is up, the attempt that follows says so.
    await sleep(ms, undefined, { signal }).catch(() => undefined)
  }

  #open(): Promise<Pool> {
    if (this.#isClosed) throw unreachable('it has just gone')
    this.#pool ??= openPool(this.#way)
    this.#pool.catch(() => {
      this.#pool = undefined
    })
    return this.#pool
  }
}

function failureIn(answer: Answer): TargetFailure | undefined {
  return answer.status >= 200 && answer.status < 300 ? undefined : failureOf(answer)
}
