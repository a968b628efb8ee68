/** One line of the table: what was measured, against what, and whether that is good enough. */
export type Figure = Readonly<{
  name: string
  unit: string
  /** Medians over the rounds. */
  ours: number
  floor?: number
  /** `ours / floor`: for rates the higher the better, for times the lower. */
  ratio?: number
  budget?: Budget
  /** Further numbers, by name with their unit: `cpuMicrosecondsPerRequest`, `p99Milliseconds`. */
  detail: Readonly<Record<string, number>>
}>

export type Budget = Readonly<{ text: string; met: boolean }>

type Given = Omit<Figure, 'ratio' | 'budget' | 'detail'> &
  Readonly<{
    budget?: Readonly<{ text: string; isMet: (figure: Measured) => boolean }>
    detail?: Figure['detail']
  }>

/** What a budget may look at. */
export type Measured = Readonly<{ ours: number; floor: number; ratio: number }>

/** A number that is not one (nothing was measured) meets no budget. */
export function makeFigure(given: Given): Figure {
  const { budget, detail = {}, floor, ...rest } = given
  const ratio = floor === undefined ? undefined : given.ours / floor
  const measured = { ours: given.ours, floor: floor ?? NaN, ratio: ratio ?? NaN }
  return {
    ...rest,
    detail,
    ...(floor === undefined ? {} : { floor }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(budget === undefined ? {} : { budget: { text: budget.text, met: budget.isMet(measured) } }),
  }
}

/** At least this part of the floor's rate. */
export function atLeast(part: number): Readonly<{
  text: string
  isMet: (measured: Measured) => boolean
}> {
  return { text: `≥ ${part * 100} % of the floor`, isMet: ({ ratio }) => ratio >= part }
}

/** At most this many of the figure's own unit. */
export function atMost(
  limit: number,
  unit: string,
): Readonly<{
  text: string
  isMet: (measured: Measured) => boolean
}> {
  return { text: `≤ ${limit} ${unit}`, isMet: ({ ours }) => ours <= limit }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}
