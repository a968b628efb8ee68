import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Document, LineCounter, Node } from 'yaml'
import { CliError } from '../cli-error.ts'
import type { Context } from '../context.ts'
import { readInput } from '../read-input.ts'

/** A Kubernetes object as it stands in a file; what it says is not judged here. */
export type FoundObject = Readonly<{
  file: string
  value: Readonly<Record<string, unknown>>
  /** Of the member at `spec.subjects.0`, or of the nearest one around it. From 1. */
  lineOf(path: string): number
}>

/** A document that cannot be read. */
export type BadDocument = Readonly<{ file: string; line: number; message: string }>

export type ReadFiles = Readonly<{
  objects: readonly FoundObject[]
  bad: readonly BadDocument[]
  /** Documents that are no Kubernetes objects. */
  others: number
}>

export type NamedText = Readonly<{ file: string; text: string }>

const extensions = /\.(?:ya?ml|json)$/i
const mostFiles = 20_000

/** Files by name, folders with all YAML and JSON in them, `-` for standard input. */
export async function readTexts(
  context: Context,
  names: readonly string[],
): Promise<readonly NamedText[]> {
  const files = names.flatMap((name) => (name === '-' ? [name] : filesOf(name)))
  if (files.length > mostFiles)
    throw new CliError('usage', `There are more than ${mostFiles} files`)
  const texts: NamedText[] = []
  for (const file of files) {
    texts.push({
      file: file === '-' ? 'standard input' : file,
      text: await readInput(context, file),
    })
  }
  return texts
}

export function isFolder(name: string): boolean {
  return name !== '-' && statSync(name, { throwIfNoEntry: false })?.isDirectory() === true
}

function filesOf(name: string): readonly string[] {
  if (!isFolder(name)) return [name]
  const found = readdirSync(name, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isFile() && extensions.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

/** Every document of every text; those of a `List` each by itself. */
export async function readObjects(texts: readonly NamedText[]): Promise<ReadFiles> {
  const { LineCounter: Lines, parseAllDocuments } = await import('yaml')
  const objects: FoundObject[] = []
  const bad: BadDocument[] = []
  let others = 0
  for (const { file, text } of texts) {
    const lineCounter = new Lines()
    const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false, merge: true })
    if (!Array.isArray(documents)) continue
    for (const document of documents) {
      const read = readDocument(document, lineCounter, file)
      if (read === undefined) others += 1
      else if ('message' in read) bad.push(read)
      else objects.push(...read.objects)
    }
  }
  return { objects, bad, others }
}

type Read = Readonly<{ objects: readonly FoundObject[] }> | BadDocument

/** `undefined`: it is no Kubernetes object. */
function readDocument(document: Document, lines: LineCounter, file: string): Read | undefined {
  const [error] = document.errors
  if (error) return { file, line: lines.linePos(error.pos[0]).line, message: error.message }
  const value = toValue(document)
  if (value instanceof Error) return { file, line: 1, message: value.message }
  // What stands between two `---` may be nothing at all, or comments.
  if (value === null || value === undefined) return { objects: [] }
  if (!isObject(value)) return undefined
  const { apiVersion, kind, items } = value
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined
  const at = (prefix: readonly string[]) => (path: string) =>
    lineAt(document, lines, [...prefix, ...(path === '' ? [] : path.split('.'))])
  if (kind !== 'List' && !(kind.endsWith('List') && Array.isArray(items))) {
    return { objects: [{ file, value, lineOf: at([]) }] }
  }
  const all: readonly unknown[] = Array.isArray(items) ? items : []
  const objects = all.flatMap((item, index) =>
    isObject(item) ? [{ file, value: item, lineOf: at(['items', String(index)]) }] : [],
  )
  return { objects }
}

/** An Error for what aliases blow up. */
function toValue(document: Document): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 1000 })
    return value
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Down as far as there is something: names with dots in them, and what is missing, stand in what is around them. */
function lineAt(document: Document, lines: LineCounter, path: readonly string[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = nodeAt(document, path.slice(0, depth))
    const offset = node?.range?.[0]
    if (offset !== undefined) return lines.linePos(offset).line
  }
  return 1
}

function nodeAt(document: Document, path: readonly string[]): Node | undefined {
  const keys = path.map((key) => (/^\d+$/.test(key) ? Number(key) : key))
  const node: unknown = keys.length === 0 ? document.contents : document.getIn(keys, true)
  return isNode(node) ? node : undefined
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
