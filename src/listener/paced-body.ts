export type Pace = Readonly<{
  /** Waited for in all before the rate counts: a slow start is no attack. */
  graceMs: number
  leastBytesPerSecond: number
}>

/**
 * A body that fails when its sender lets us wait: a byte a minute would keep a place for ever at no cost. Only waiting
 * counts, so a reader that takes its time harms nobody; silence is ended by the connection's own limit.
 */
export function pacedBody(
  body: AsyncIterable<Uint8Array>,
  { graceMs, leastBytesPerSecond }: Pace,
  now: () => number = () => performance.now(),
): AsyncIterable<Uint8Array> {
  return {
    async *[Symbol.asyncIterator]() {
      let waitedMs = 0
      let size = 0
      let askedAt = now()
      for await (const chunk of body) {
        waitedMs += now() - askedAt
        size += chunk.length
        if (waitedMs > graceMs && size * 1000 < waitedMs * leastBytesPerSecond) {
          throw new Error(`the body came at less than ${leastBytesPerSecond} bytes a second`)
        }
        yield chunk
        askedAt = now()
      }
    },
  }
}
