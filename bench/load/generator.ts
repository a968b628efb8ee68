/**
 * A program: `generator.ts PLAN` sends what the plan says and prints a LoadResult. It runs beside the server, as a
 * process of its own, and fails at the first answer that is no success.
 */
import { readFileSync } from 'node:fs'
import { createCaller } from './callers.ts'
import type { Outgoing } from './connection.ts'
import type { LoadResult, Plan } from './plan.ts'

const [path = ''] = process.argv.slice(2)
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by ourselves a moment ago
const plan = JSON.parse(readFileSync(path, 'utf8')) as Plan
const requests = plan.requests.map(({ head, body, times = 1 }): Outgoing => ({
  head: Buffer.from(head, 'latin1'),
  times,
  ...(body === undefined ? {} : { body: Buffer.from(body, 'base64') }),
}))
const callers = Array.from({ length: plan.connections }, () => createCaller(plan))
let next = 0

type Run = Readonly<{ latencies: readonly number[]; bytes: number; seconds: number }>

/** Begins requests for so long, then waits for the last answers; all of it counts. */
async function run(seconds: number): Promise<Run> {
  const latencies: number[] = []
  const started = performance.now()
  const until = started + seconds * 1000
  let bytes = 0
  await Promise.all(
    callers.map(async (caller) => {
      while (performance.now() < until) {
        const request = requests[next++ % requests.length]
        if (request === undefined) throw new Error('a plan without requests')
        const asked = performance.now()
        const { bodyBytes } = await caller.ask(request)
        latencies.push(performance.now() - asked)
        bytes += bodyBytes + (request.body?.length ?? 0) * request.times
      }
    }),
  )
  return { latencies, bytes, seconds: (performance.now() - started) / 1000 }
}

const warmup = await run(plan.warmupSeconds)
const { latencies, bytes, seconds } = await run(plan.seconds)
const sorted = Float64Array.from(latencies).sort()
const percentile = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? NaN
const result: LoadResult = {
  requests: warmup.latencies.length + latencies.length,
  requestsPerSecond: latencies.length / seconds,
  bytesPerSecond: bytes / seconds,
  p50Milliseconds: percentile(0.5),
  p99Milliseconds: percentile(0.99),
}
for (const caller of callers) caller.close()
process.stdout.write(JSON.stringify(result))
