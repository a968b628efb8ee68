import { readFileSync } from 'node:fs'
import { makeFigure, median } from '../figure.ts'
import type { Figure, Measured } from '../figure.ts'
import type { Pace } from '../part.ts'
import { program } from '../program.ts'
import type { Server, Workplace } from '../workplace.ts'
import type { LoadResult, Plan } from './plan.ts'

export type Contest = Readonly<{
  name: string
  ours: Server
  floor: Server
  requests: Plan['requests']
  connections: number
  newTls?: Plan['newTls']
  keptTls?: Plan['keptTls']
  /** `rate`: requests a second; `throughput`: MB of bodies a second. */
  measure: 'rate' | 'throughput'
  budget?: Readonly<{ text: string; isMet: (measured: Measured) => boolean }>
}>

type Round = LoadResult & Readonly<{ cpuSeconds: number | undefined }>

/** The same load on the floor and on Daypass in turn, round by round, so that a busy moment meets both. */
export async function compare(place: Workplace, pace: Pace, contest: Contest): Promise<Figure> {
  const floor: Round[] = []
  const ours: Round[] = []
  const first = { ...pace, warmupSeconds: 0, seconds: pace.firstWarmupSeconds }
  for (const server of [contest.floor, contest.ours]) await load(place, first, contest, server)
  for (let round = 0; round < pace.rounds; round++) {
    floor.push(await load(place, pace, contest, contest.floor))
    ours.push(await load(place, pace, contest, contest.ours))
  }
  const value = contest.measure === 'rate' ? rate : throughput
  return makeFigure({
    name: contest.name,
    unit: contest.measure === 'rate' ? 'requests/s' : 'MB/s',
    ours: median(ours.map(value)),
    floor: median(floor.map(value)),
    ...(contest.budget === undefined ? {} : { budget: contest.budget }),
    detail: {
      p50Milliseconds: median(ours.map((round) => round.p50Milliseconds)),
      p99Milliseconds: median(ours.map((round) => round.p99Milliseconds)),
      floorP99Milliseconds: median(floor.map((round) => round.p99Milliseconds)),
      ...processorTime('cpuMicrosecondsPerRequest', ours),
      ...processorTime('floorCpuMicrosecondsPerRequest', floor),
    },
  })
}

const rate = (round: Round): number => round.requestsPerSecond
const throughput = (round: Round): number => round.bytesPerSecond / 1e6

/** One round of load on one server. */
export async function load(
  place: Workplace,
  pace: Pace,
  contest: Pick<Contest, 'requests' | 'connections' | 'newTls' | 'keptTls'>,
  server: Server,
): Promise<Round> {
  const { requests, connections, newTls, keptTls } = contest
  const plan: Plan = {
    port: Number(new URL(server.url).port),
    connections,
    requests,
    warmupSeconds: pace.warmupSeconds,
    seconds: pace.seconds,
    ...(newTls === undefined ? {} : { newTls }),
    ...(keptTls === undefined ? {} : { keptTls }),
  }
  const path = place.file(JSON.stringify(plan))
  const before = processorSeconds(server.pid)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by our own generator
  const result = JSON.parse(await place.run([program('load/generator.ts'), path])) as LoadResult
  const after = processorSeconds(server.pid)
  const cpuSeconds = before === undefined || after === undefined ? undefined : after - before
  return { ...result, cpuSeconds }
}

/** Of all threads, in user and kernel. Linux only; elsewhere the table does without. */
function processorSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may hold anything: the 14th and 15th field, in hundredths of a second.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return undefined
  }
}

function processorTime(name: string, rounds: readonly Round[]): Record<string, number> {
  const known = rounds.flatMap(({ cpuSeconds, requests }) =>
    cpuSeconds === undefined ? [] : [(cpuSeconds * 1e6) / requests],
  )
  return known.length === 0 ? {} : { [name]: median(known) }
}
