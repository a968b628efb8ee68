/** A JSON object as it came: values are whatever JSON holds. Own members only, `__proto__` included. */
export type JsonObject = Readonly<Record<string, unknown>>

const deepest = 32

const [quote, backslash, colon, space] = [0x22, 0x5c, 0x3a, 0x20]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

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

// Text that JSON.parse has accepted needs no grammar: a string followed by a colon is a member name, and what is in no
// string and no bracket does not matter. By hand, since it is on the way of every token: a pattern takes ten times as long.
function checkStrings(text: string): void {
  const open: Set<string>[] = []
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === quote) {
      const end = endOfString(text, at)
      const string = unescape(text.slice(at + 1, end))
      if (isColonNext(text, end)) enter(open.at(-1), string)
      at = end
    } else if (character === openBrace || character === openBracket) {
      if (open.push(new Set()) > deepest) throw new SyntaxError('nested too deeply')
    } else if (character === closeBrace || character === closeBracket) {
      open.pop()
    }
  }
}

function endOfString(text: string, start: number): number {
  let end = start + 1
  while (text.charCodeAt(end) !== quote) end += text.charCodeAt(end) === backslash ? 2 : 1
  return end
}

function isColonNext(text: string, end: number): boolean {
  let next = end + 1
  while (text.charCodeAt(next) <= space) next += 1
  return text.charCodeAt(next) === colon
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
