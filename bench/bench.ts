/**
 * `npm run bench`: measures Daypass against floors, in one run on one machine.
 *
 *     --quick        about a minute instead of some five
 *     --only NAME    one part; may be given more than once
 *     --json         the figures as JSON on standard output
 *     --markdown     the table as docs/performance.md has it
 *     --profile DIR  a CPU profile of every server, written when it stops
 */
import { availableParallelism, cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import type { Figure } from './figure.ts'
import { Skipped } from './part.ts'
import type { Pace, Part } from './part.ts'
import { parts } from './parts.ts'
import { renderMarkdown, renderTable } from './table.ts'
import { Workplace } from './workplace.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})

const pace: Pace = values.quick
  ? { quick: true, rounds: 2, firstWarmupSeconds: 1.5, warmupSeconds: 0.2, seconds: 0.7 }
  : { quick: false, rounds: 5, firstWarmupSeconds: 5, warmupSeconds: 0.3, seconds: 1.5 }
/** No part may take the whole run with it. */
const longestPartMs = values.quick ? 60_000 : 180_000

const nodeOptions = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : []

type Outcome = Readonly<{
  part: string
  floor: string
  figures: readonly Figure[]
  error?: string
  /** What is missing on this machine. */
  skipped?: string
}>

async function run(part: Part): Promise<Outcome> {
  const place = new Workplace(nodeOptions)
  const { name, floor } = part
  const interrupted = (): void => void place.close().finally(() => process.exit(130))
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    const figures = await Promise.race([part.measure(place, pace), tooLate(part)])
    return { part: name, floor, figures }
  } catch (error) {
    if (error instanceof Skipped) return { part: name, floor, figures: [], skipped: error.message }
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { part: name, floor, figures: [], error: reason }
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
    await place.close()
  }
}

function tooLate(part: Part): Promise<never> {
  return new Promise((_, reject) => {
    const message = `${part.name} took longer than ${longestPartMs / 1000} s`
    setTimeout(() => reject(new Error(message)), longestPartMs).unref()
  })
}

function chosenParts(): readonly Part[] {
  const unknown = values.only.filter((name) => !parts.some((part) => part.name === name))
  if (unknown.length === 0) {
    return parts.filter(({ name }) => values.only.length === 0 || values.only.includes(name))
  }
  const names = parts.map((part) => part.name).join(', ')
  process.stderr.write(`There is no part ${unknown.join(', ')}; the parts are ${names}.\n`)
  process.exit(2)
}

const started = new Date()
const outcomes: Outcome[] = []
for (const part of chosenParts()) {
  process.stderr.write(`${part.name} …\n`)
  outcomes.push(await run(part))
}

const figures = outcomes.flatMap((outcome) => outcome.figures)
const failures = outcomes.filter((outcome) => outcome.error !== undefined)
const machine = {
  at: started.toISOString(),
  seconds: Math.round((Date.now() - started.getTime()) / 1000),
  node: process.version,
  cpu: `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
  memoryGib: Math.round(totalmem() / 1024 ** 3),
  pace,
}

if (values.json) {
  process.stdout.write(`${JSON.stringify({ machine, outcomes }, null, 2)}\n`)
} else {
  const table = values.markdown ? renderMarkdown(figures) : renderTable(figures)
  const { at, seconds, node, cpu, memoryGib } = machine
  const where = `${at}, ${seconds} s, Node ${node}, ${cpu}, ${memoryGib} GiB`
  process.stdout.write(`${table}\n\n${where}\n`)
}
for (const { part, skipped } of outcomes) {
  if (skipped !== undefined) process.stderr.write(`\nSKIPPED: ${part}: ${skipped}\n`)
}
for (const { part, error } of failures) process.stderr.write(`\n${part} failed: ${error}\n`)
process.exitCode = failures.length > 0 ? 1 : 0
