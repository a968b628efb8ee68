import type { Figure } from './figure.ts'

const titles = ['what', 'Daypass', 'floor', 'unit', 'ratio', 'budget', '']

/** The figures as people read them. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = [titles, ...figures.map(cells)]
  const widths = titles.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, isNumber(column)))
      .join('  ')
      .trimEnd()
  const [head = [], ...body] = rows
  const rule = widths.map((width) => '-'.repeat(width))
  return [head, rule, ...body].map(line).join('\n')
}

/** The same for a page of documentation. */
export function renderMarkdown(figures: readonly Figure[]): string {
  const rule = titles.map((_, column) => (isNumber(column) ? '---:' : '---'))
  return [titles, rule, ...figures.map(cells)].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function cells(figure: Figure): readonly string[] {
  const { name, unit, ours, floor, ratio, budget } = figure
  return [
    name,
    printNumber(ours),
    floor === undefined ? '' : printNumber(floor),
    unit,
    ratio === undefined ? '' : printRatio(ratio, unit),
    budget?.text ?? '',
    budget === undefined ? '' : budget.met ? 'met' : 'MISSED',
  ]
}

/** A rate is a part of the floor's; a time or a size is so many times the floor's. */
function printRatio(ratio: number, unit: string): string {
  return unit.endsWith('/s') ? `${Math.round(ratio * 100)} %` : `${printNumber(ratio)} ×`
}

function printNumber(value: number): string {
  if (!Number.isFinite(value)) return '?'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

function isNumber(column: number): boolean {
  return column === 1 || column === 2 || column === 4
}

function pad(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width)
}
