import { GCProfiler, getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What one call took: of this thread's own CPU time, and of memory, buffers included. */
export type Cost = Readonly<{ milliseconds: number; bytes: number }>

/** What 64 KiB of input may cost any parser, whoever wrote them. */
const limits: Cost = { milliseconds: 50, bytes: 16 * 1024 * 1024 }

const mostRuns = 6

// Else the nursery of the heap grows to the very size of the limit, and what is no longer needed counts as needed.
setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** The error is what the call threw, if it threw. */
export type Measured = Readonly<{ cost: Cost; thrown?: Readonly<{ error: unknown }> }>

/**
 * What the call costs at best. A first call pays for compiling the parser and a garbage collection may fall into any of them, so
 * a call over a limit is repeated; what costs too much each time costs too much. A throw is an outcome like any other.
 */
export async function measure(call: () => unknown): Promise<Measured> {
  let best = await measureOnce(call, 'as it is')
  for (let runs = 1; runs < mostRuns && !isWithinLimits(best.cost); runs += 1) {
    collectGarbage()
    const again = await measureOnce(call, 'clean')
    best = { ...again, cost: lowest(best.cost, again.cost) }
  }
  return best
}

function lowest(one: Cost, other: Cost): Cost {
  return {
    milliseconds: Math.min(one.milliseconds, other.milliseconds),
    bytes: Math.min(one.bytes, other.bytes),
  }
}

export function isWithinLimits({ milliseconds, bytes }: Cost): boolean {
  return milliseconds <= limits.milliseconds && bytes <= limits.bytes
}

/**
 * CPU time, since the wall clock of a busy machine measures the neighbours. Memory is the highest level that is seen: at the
 * end, and before each garbage collection on the way. In a heap as others left it a full collection frees what is theirs, so
 * the level says nothing then; what stays in the nursery is too little to matter.
 */
async function measureOnce(call: () => unknown, heap: 'clean' | 'as it is'): Promise<Measured> {
  const profiler = new GCProfiler()
  profiler.start()
  const bytesBefore = bytesInUse()
  const cpuBefore = process.threadCpuUsage()
  const thrown = await thrownBy(call)
  const cpu = process.threadCpuUsage(cpuBefore)
  const bytesAfter = bytesInUse()
  const collections = profiler.stop().statistics
  const levels = collections.map(({ beforeGC: { heapStatistics } }) =>
    Math.round(heapStatistics.usedHeapSize + heapStatistics.externalMemory),
  )
  const isTold = heap === 'clean' || collections.every(({ gcType }) => gcType === 'Scavenge')
  const cost = {
    milliseconds: (cpu.user + cpu.system) / 1000,
    bytes: isTold ? Math.max(bytesAfter, ...levels) - bytesBefore : Infinity,
  }
  return thrown === undefined ? { cost } : { cost, thrown }
}

async function thrownBy(call: () => unknown): Promise<Measured['thrown']> {
  try {
    await call()
    return undefined
  } catch (error) {
    return { error }
  }
}

function bytesInUse(): number {
  const heap = getHeapStatistics()
  return heap.used_heap_size + heap.external_memory
}
