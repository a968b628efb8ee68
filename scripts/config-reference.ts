/** The references of the configuration files, from the schemas themselves: `npm run docs` writes them, a test holds them fresh. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { configSchema, operatorSchema } from '../src/config/index.ts'

const docs = resolve(import.meta.dirname, '../docs')

/** Page and schema of each command that has a configuration file. */
export const pages = [
  { file: resolve(docs, 'configuration.md'), schema: configSchema },
  { file: resolve(docs, 'kubernetes-configuration.md'), schema: operatorSchema },
] as const
type Page = (typeof pages)[number]
const begin = '<!-- generated: npm run docs -->'
const end = '<!-- end of what is generated -->'

type Schema = Readonly<{
  type?: string
  description?: string
  default?: unknown
  enum?: readonly unknown[]
  minimum?: number
  maximum?: number
  properties?: Readonly<Record<string, Schema>>
  additionalProperties?: Schema | boolean
  items?: Schema
  anyOf?: readonly Schema[]
  oneOf?: readonly Schema[]
  const?: string | number | boolean
  required?: readonly string[]
}>

type Row = Readonly<{ path: string; kind: string; fallback: string; description: string }>

function configReference({ schema }: Page): string {
  const rows = rowsOf(z.toJSONSchema(schema, { io: 'input' }) as Schema, '').map(
    ({ path, kind, fallback, description }) =>
      `| \`${path}\` | ${kind} | ${fallback} | ${description} |`,
  )
  return ['| key | value | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** The page with its generated part made anew. */
export function freshPage(place: Page): string {
  const { file } = place
  const page = currentPage(place)
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has lost its markers`)
  return `${page.slice(0, from)}${begin}\n\n${configReference(place)}\n\n${page.slice(to)}`
}

export function currentPage({ file }: Page): string {
  return readFileSync(file, 'utf8')
}

function rowsOf(schema: Schema, prefix: string): readonly Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    const children = childrenOf(member, path)
    const isGroup = member.type === 'object' && member.properties !== undefined
    const row: Row = {
      path,
      kind: kindOf(member),
      fallback: fallbackOf(member, schema.required?.includes(name) === true),
      description: member.description ?? '',
    }
    return isGroup && row.description === '' ? children : [row, ...children]
  })
}

function childrenOf(schema: Schema, path: string): readonly Row[] {
  if (schema.type === 'array' && schema.items) return rowsOf(schema.items, `${path}[]`)
  if (schema.oneOf) return schema.oneOf.flatMap((each) => rowsOf(each, path))
  const { additionalProperties } = schema
  if (typeof additionalProperties === 'object') return rowsOf(additionalProperties, `${path}.NAME`)
  return rowsOf(schema, path)
}

function kindOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.oneOf) return 'group'
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema.type === 'array') return `list of ${schema.items ? kindOf(schema.items) : 'anything'}`
  if (schema.type === 'object') return schema.properties ? 'group' : 'mapping'
  if (schema.anyOf) return [...new Set(schema.anyOf.map(alternative))].join(' or ')
  const { minimum, maximum } = schema
  const isRange =
    minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
  const range = isRange ? `, ${minimum} to ${maximum}` : ''
  return `${schema.type ?? 'text'}${range}`
}

/** A reference such as `{ env: NAME }` reads better than "group". */
function alternative(schema: Schema): string {
  const [name] = Object.keys(schema.properties ?? {})
  return name === undefined ? kindOf(schema) : `\`{ ${name}: … }\``
}

function fallbackOf(schema: Schema, required: boolean): string {
  if (required) return 'required'
  const { default: value } = schema
  if (value === undefined || (typeof value === 'object' && value !== null)) return ''
  return value === '' ? 'empty' : `\`${JSON.stringify(value).replaceAll('"', '')}\``
}

if (process.argv[1] === import.meta.filename) {
  for (const place of pages) writeFileSync(place.file, freshPage(place))
}
