/** A JSON object as it came: values are whatever JSON holds. Own members only, `__proto__` included. */
export type JsonObject = Readonly<Record<string, unknown>>

const deepest = 32

/**
 * Reads a JSON object in which every member name, at every depth, stands once (RFC 8259 section 4 leaves the
 * meaning of doubled names open, so two readers of `{"sub":"a","sub":"b"}` may see two people), every string is
 * well-formed Unicode (a lone surrogate would become the same U+FFFD as any other one when it is stored), and
 * nothing nests deeper than 32.
 * @throws {SyntaxError} for all else
 */
export function parseJsonObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) throw new SyntaxError('not a JSON object')
  checkStrings(text)
  return value
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Text that JSON.parse has accepted needs no grammar: a string followed by a colon is a member name.
const pieces = /"([^"\\]*(?:\\.[^"\\]*)*)"(\s*:)?|[{}[\]]/g

function checkStrings(text: string): void {
  const open: Set<string>[] = []
  for (const [piece, quoted, colon] of text.matchAll(pieces)) {
    if (quoted !== undefined) {
      const string = unescape(quoted)
      if (colon !== undefined) enter(open.at(-1), string)
    } else if (piece === '{' || piece === '[') {
      if (open.push(new Set()) > deepest) throw new SyntaxError('nested too deeply')
    } else {
      open.pop()
    }
  }
}

function unescape(quoted: string): string {
  if (!quoted.includes('\\')) return quoted
  const string = String(JSON.parse(`"${quoted}"`))
  if (!string.isWellFormed()) throw new SyntaxError('a string is not well-formed')
  return string
}

function enter(names: Set<string> | undefined, name: string): void {
  if (names?.has(name) === true) throw new SyntaxError('a member name stands twice')
  names?.add(name)
}
