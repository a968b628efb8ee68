/**
 * A program: `token-reviews.ts SETTINGS WARMUP SECONDS` asks an API server about tokens, as fast as it answers, and prints
 * the rate and the latencies.
 */
import { readSettings } from '../floors/answer.ts'
import { ApiServer } from '../load/api-server.ts'
import type { Administrator } from '../load/api-server.ts'

export type TokenReviewFloor = Readonly<{
  administrator: Administrator
  tokens: readonly string[]
  connections: number
}>

export type TokenReviewRates = Readonly<{
  reviewsPerSecond: number
  p50Milliseconds: number
  p99Milliseconds: number
}>

const [path, warmup, seconds] = process.argv.slice(2)
const { administrator, tokens, connections } = readSettings(path) as TokenReviewFloor // oxlint-disable-line typescript/no-unsafe-type-assertion -- the part's own file
const server = new ApiServer(administrator, connections)
const bodies = tokens.map((token) =>
  JSON.stringify({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: ['sts.min.io'] },
  }),
)
let next = 0

async function run(time: number): Promise<TokenReviewRates> {
  const latencies: number[] = []
  const started = performance.now()
  const until = started + time * 1000
  const asker = async (): Promise<void> => {
    while (performance.now() < until) {
      const asked = performance.now()
      const answer = await server.post(
        '/apis/authentication.k8s.io/v1/tokenreviews',
        bodies[next++ % bodies.length] ?? '',
      )
      if (!answer.includes('"authenticated":true')) throw new Error(answer)
      latencies.push(performance.now() - asked)
    }
  }
  await Promise.all(Array.from({ length: connections }, asker))
  const sorted = Float64Array.from(latencies).sort()
  const percentile = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? NaN
  return {
    reviewsPerSecond: latencies.length / ((performance.now() - started) / 1000),
    p50Milliseconds: percentile(0.5),
    p99Milliseconds: percentile(0.99),
  }
}

await run(Number(warmup))
process.stdout.write(JSON.stringify(await run(Number(seconds))))
await server.close()
