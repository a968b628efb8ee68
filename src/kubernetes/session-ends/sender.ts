import type { AdminTarget, SessionsEnd } from '../../targets/index.ts'
import type { KeyReader } from '../secrets.ts'
import { adminTarget } from './admin-target.ts'
import type { TenantCare } from './tenant-care.ts'

export type SenderOptions = Readonly<{
  keys: KeyReader
  /** Asks the server of a tenant. Rejects when it is not certain that it has. */
  endSessions(target: AdminTarget, end: SessionsEnd): Promise<void>
  clock: () => Date
  random: () => number
  onError(what: string, error: unknown): void
}>

type Way = Readonly<{ failures: number; notBefore: number; isSending: boolean }>

const [leastPauseMs, mostPauseMs] = [500, 30_000]
const open: Way = { failures: 0, notBefore: -Infinity, isSending: false }

/** Tells each tenant what has to end: one after the other, and after a failure in growing intervals, as long as it takes. */
export class Sender {
  readonly #options: SenderOptions
  readonly #ways = new Map<string, Way>()
  #ended = 0
  #failed = 0

  constructor(options: SenderOptions) {
    this.#options = options
  }

  get counts(): Readonly<{ ended: number; failed: number }> {
    return { ended: this.#ended, failed: this.#failed }
  }

  /**
   * Never rejects. @param tenant `NAMESPACE/NAME`
   * @returns whether something was tried
   */
  async send(tenant: string, care: TenantCare, signal: AbortSignal): Promise<boolean> {
    const way = this.#ways.get(tenant) ?? open
    if (way.isSending || performance.now() < way.notBefore) return false
    this.#ways.set(tenant, { ...way, isSending: true })
    const error = await this.#sendAll(tenant, care, signal).then(
      () => undefined,
      (failure: unknown) => failure ?? new Error('unknown'),
    )
    if (error === undefined) {
      this.#ways.delete(tenant)
      return true
    }
    this.#failed += 1
    const failures = way.failures + 1
    this.#ways.set(tenant, {
      failures,
      notBefore: performance.now() + this.#pauseMs(failures),
      isSending: false,
    })
    // Said at the first failure, and then now and then: the metric counts them all.
    if (failures > 1 && failures % 50 !== 0) return true
    const what = `tenant ${tenant} has not ended ${care.pendingCount} kinds of sessions; it will be asked again`
    this.#options.onError(what, error)
    return true
  }

  async #sendAll(tenant: string, care: TenantCare, signal: AbortSignal): Promise<void> {
    const { keys, endSessions, clock } = this.#options
    const [namespace = '', name = ''] = tenant.split('/')
    for (const pending of care.due(clock())) {
      if (signal.aborted) return
      const { whose, reason, issuedBefore = clock() } = pending
      const target = adminTarget(namespace, name, care.admin, keys)
      await endSessions(target, { whose, reason, issuedBefore })
      this.#ended += 1
      care.done(pending, clock())
    }
  }

  /** Doubles with each failure, and differs from one process to another. */
  #pauseMs(failures: number): number {
    const longest = Math.min(mostPauseMs, leastPauseMs * 2 ** Math.min(failures, 10))
    return longest * (0.5 + this.#options.random() / 2)
  }
}
