/** The README of a chart with its table of values, from the schema of the values and from the values themselves. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const begin = '<!-- generated: npm run manifests -->'
const end = '<!-- end of what is generated -->'

export type ValueSchema = Readonly<{
  type?: string
  description?: string
  enum?: readonly unknown[]
  properties?: Readonly<Record<string, ValueSchema>>
}>

export function valuesTable(chart: string): string {
  const page = readFileSync(join(chart, 'README.md'), 'utf8')
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${chart}/README.md has lost its markers`)
  const rows = rowsOf(readSchema(chart), readValues(chart), '')
  const table = ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n')
  return `${page.slice(0, from)}${begin}\n\n${table}\n\n${page.slice(to)}`
}

export function readSchema(chart: string): ValueSchema {
  return JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as ValueSchema
}

export function readValues(chart: string): unknown {
  return parse(readFileSync(join(chart, 'values.yaml'), 'utf8'))
}

function rowsOf(schema: ValueSchema, values: unknown, prefix: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    // Helm's own; no value of ours.
    if (prefix === '' && name === 'global') return []
    const path = `${prefix}${name}`
    const value = isRecord(values) ? values[name] : undefined
    const isGroup = member.properties !== undefined && Object.keys(value ?? {}).length > 0
    if (isGroup) return rowsOf(member, value, `${path}.`)
    const fallback = value === '' ? '' : `\`${JSON.stringify(value)}\``
    const choice = member.enum === undefined ? '' : ` One of ${member.enum.map(String).join(', ')}.`
    return [`| \`${path}\` | ${fallback} | ${member.description ?? ''}${choice} |`]
  })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
