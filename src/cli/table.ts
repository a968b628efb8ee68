import { printable } from './printable.ts'

/** What the configuration declares was made at no known time; the IAM API has to name one, and says the epoch. */
export function whenMade(createdAt: string): string {
  return Date.parse(createdAt) === 0 ? '' : createdAt
}

/** Columns under their titles; nothing but the titles when there are no rows. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, ...rows].map((row) => row.map(printable))
  const widths = titles.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length)),
  )
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
