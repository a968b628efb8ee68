import { BoundedCache } from '../bounded-cache.ts'

/** A token bucket for each source address, in bounded memory, and a ceiling on what runs at the same time. */
export type RateLimiter = Readonly<{
  /** Takes one token and one place; `undefined`: refused, come again later. Call the result once when done. */
  enter(source: string, now: Date): (() => void) | undefined
}>

type Bucket = { tokens: number; at: number }

const maxSources = 100_000
/** One source that keeps its calls waiting, with a body of a byte a second, must not take every place. */
const shareOfOneSource = 4

export function createRateLimiter(
  options: Readonly<{ perSecond: number; burst: number; inFlight: number }>,
): RateLimiter {
  // The sources seen longest ago are forgotten first: their buckets are the fullest, so that gives the least away.
  const buckets = new BoundedCache<Bucket>(maxSources)
  const running = new Map<string, number>()
  const mostOfOneSource = Math.ceil(options.inFlight / shareOfOneSource)
  let inFlight = 0

  function take(source: string, at: number): boolean {
    const bucket = buckets.get(source) ?? { tokens: options.burst, at }
    const refilled = bucket.tokens + ((at - bucket.at) / 1000) * options.perSecond
    bucket.tokens = Math.min(options.burst, Math.max(refilled, bucket.tokens))
    bucket.at = at
    buckets.set(source, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  function count(network: string, change: 1 | -1): void {
    inFlight += change
    const left = (running.get(network) ?? 0) + change
    if (left === 0) running.delete(network)
    else running.set(network, left)
  }

  return {
    enter(source, now) {
      const network = networkOf(source)
      if (inFlight >= options.inFlight) return undefined
      if ((running.get(network) ?? 0) >= mostOfOneSource) return undefined
      const taken = take(network, now.getTime())
      if (!taken) return undefined
      count(network, 1)
      let open = true
      return () => {
        if (open) count(network, -1)
        open = false
      }
    },
  }
}

/** One household of IPv6 has a whole /64 to send from; it counts as one source. */
function networkOf(source: string): string {
  if (!source.includes(':')) return source
  const [head = '', tail] = source.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  if (tail === undefined) return groups.slice(0, 4).join(':')
  const missing = 8 - groups.length - tail.split(':').filter((group) => group !== '').length
  const zeros = Array<string>(Math.max(missing, 0)).fill('0')
  return [...groups, ...zeros].slice(0, 4).join(':')
}
