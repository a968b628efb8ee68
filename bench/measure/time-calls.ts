import { setImmediate } from 'node:timers/promises'

const batch = 200

/**
 * Microseconds of processor time that one call takes, all threads of this process counted: unlike the time on the wall,
 * that hardly depends on what else the machine does. Timers get their turn between batches.
 */
export async function timeCalls(
  seconds: number,
  call: (index: number) => unknown,
): Promise<number> {
  await run(seconds / 4, call)
  const before = process.cpuUsage()
  const calls = await run(seconds, call)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

async function run(seconds: number, call: (index: number) => unknown): Promise<number> {
  const until = performance.now() + seconds * 1000
  let calls = 0
  while (performance.now() < until) {
    for (let index = 0; index < batch; index++) {
      const result = call(calls++)
      if (result instanceof Promise) await result
    }
    await setImmediate()
  }
  return calls
}

/** `PROGRAM ROUNDS SECONDS …` */
export function readPace(): Readonly<{ rounds: number; seconds: number; rest: readonly string[] }> {
  const [rounds, seconds, ...rest] = process.argv.slice(2)
  return { rounds: Number(rounds), seconds: Number(seconds), rest }
}

export type Times = Readonly<{ ours: number[]; floor: number[] }>

/** In turn, like everything here. */
export async function timeInTurn(
  { rounds, seconds }: Readonly<{ rounds: number; seconds: number }>,
  calls: Readonly<{ ours: (index: number) => unknown; floor: (index: number) => unknown }>,
): Promise<Times> {
  const times: Times = { ours: [], floor: [] }
  for (let round = 0; round < rounds; round++) {
    times.floor.push(await timeCalls(seconds, calls.floor))
    times.ours.push(await timeCalls(seconds, calls.ours))
  }
  return times
}
