import { setTimeout as sleep } from 'node:timers/promises'
import type { Change, Entry, State, WatchEvent } from './state.ts'

/** Keeps a copy of everything under one prefix: the whole list first, then each change, in order and without gaps. */
export type Follower = Readonly<{
  /** The revision up to which the copy is complete. */
  revision(): number
  /** When the store last gave a sign of life. */
  lastProgressAt(): Date
  /** Resolves once the copy has reached `revision`: a writer waits here to see its own write. */
  reached(revision: number): Promise<void>
  close(): Promise<void>
}>

export type FollowOptions = Readonly<{
  state: State
  prefix: string
  clock: () => Date
  /** The whole content as of `revision`: at the start, and again whenever the watch had to begin anew. */
  reset(entries: readonly Entry[], revision: number): void
  apply(change: Change): void
  /** The watch broke and is being taken up again; for the log. */
  onError(error: unknown): void
  /** Pause before the next attempt. */
  retryMs?: number
  /** A watch that says nothing for this long is given up and begun again: it owes a sign of life every second. */
  silenceMs?: number
}>

/** Resolves when the first list has been delivered; rejects when the store cannot be read at all. */
export async function follow(options: FollowOptions): Promise<Follower> {
  const stop = new AbortController()
  const waiting = new Set<{ revision: number; resolve: () => void }>()
  let revision = 0
  let progressAt = options.clock()

  function advance(to: number, at: Date): void {
    revision = Math.max(revision, to)
    progressAt = at
    for (const waiter of waiting) {
      if (waiter.revision > revision) continue
      waiting.delete(waiter)
      waiter.resolve()
    }
  }

  async function list(): Promise<void> {
    const askedAt = options.clock() // what changes while the answer travels is not in it
    const listed = await options.state.list(options.prefix)
    options.reset(listed.entries, listed.revision)
    advance(listed.revision, askedAt)
  }

  async function watchOnce(): Promise<void> {
    const attempt = new AbortController()
    const signal = AbortSignal.any([stop.signal, attempt.signal])
    const events = options.state.watch(options.prefix, revision, signal)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const event = await nextEvent(events, signal, options.silenceMs ?? 3000)
        if (event.kind === 'compacted') return await list()
        if (event.kind === 'changes') for (const change of event.changes) options.apply(change)
        advance(event.revision, options.clock())
      }
    } finally {
      attempt.abort()
      events.return?.().catch(() => undefined) // not awaited: a watch that hangs may hang here too
    }
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await watchOnce()
      } catch (error) {
        if (stop.signal.aborted) return
        options.onError(error)
        await sleep(options.retryMs ?? 250, undefined, { signal: stop.signal }).catch(
          () => undefined,
        )
      }
    }
  }

  await list()
  const running = run()
  return {
    revision: () => revision,
    lastProgressAt: () => progressAt,
    reached(target) {
      if (revision >= target) return Promise.resolve()
      return new Promise((resolve) => {
        waiting.add({ revision: target, resolve })
      })
    },
    async close() {
      stop.abort()
      await running
      for (const waiter of waiting) waiter.resolve()
    },
  }
}

/** The next event; throws when the watch ends, is aborted, or stays silent for too long. */
async function nextEvent(
  events: AsyncIterator<WatchEvent>,
  signal: AbortSignal,
  silenceMs: number,
): Promise<WatchEvent> {
  const next = events.next()
  const alarm = new AbortController()
  const silence = sleep(silenceMs, 'silent' as const, {
    signal: AbortSignal.any([signal, alarm.signal]),
  })
  try {
    const first = await Promise.race([next, silence])
    if (first === 'silent') throw new Error(`the store's watch was silent for ${silenceMs} ms`)
    if (first.done === true) throw new Error("the store's watch ended")
    return first.value
  } finally {
    alarm.abort()
    next.catch(() => undefined)
    silence.catch(() => undefined)
  }
}
