import { malformed, memberPath, shown } from './errors.ts'

/** JSON as it was written: numbers keep their digits, objects their own Map, so `__proto__` is a name like any other. */
export type JsonValue =
  | Readonly<{ kind: 'string'; value: string }>
  | Readonly<{ kind: 'number'; text: string }>
  | Readonly<{ kind: 'boolean'; value: boolean }>
  | Readonly<{ kind: 'null' }>
  | Readonly<{ kind: 'array'; items: readonly JsonValue[] }>
  | Readonly<{ kind: 'object'; members: ReadonlyMap<string, JsonValue> }>

/**
 * Reads one JSON text (RFC 8259) strictly. `JSON.parse` would hide what matters here: a member given twice (the last
 * one wins, silently) and digits beyond 2^53.
 * @throws PolicyError `malformed_policy`: not JSON, a doubled member, text after the end, nested deeper than `maxDepth`.
 */
export function scanJson(text: string, maxDepth: number): JsonValue {
  const reader = new JsonReader(text, maxDepth)
  return reader.readDocument()
}

const words = new Map<string, JsonValue>([
  ['true', { kind: 'boolean', value: true }],
  ['false', { kind: 'boolean', value: false }],
  ['null', { kind: 'null' }],
])

class JsonReader {
  readonly #text: string
  readonly #maxDepth: number
  readonly #number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
  #at = 0

  constructor(text: string, maxDepth: number) {
    this.#text = text
    this.#maxDepth = maxDepth
  }

  readDocument(): JsonValue {
    this.#skipSpace()
    if (this.#at === this.#text.length) throw malformed('', 'is empty')
    const value = this.#readValue('', 1)
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#unexpected('')
    return value
  }

  #readValue(path: string, depth: number): JsonValue {
    const first = this.#text[this.#at]
    if (first === '{' || first === '[') {
      if (depth > this.#maxDepth) throw malformed(path, `is nested deeper than ${this.#maxDepth}`)
      return first === '{' ? this.#readObject(path, depth) : this.#readArray(path, depth)
    }
    if (first === '"') return { kind: 'string', value: this.#readString(path) }
    return this.#readWord() ?? this.#readNumber(path)
  }

  #readObject(path: string, depth: number): JsonValue {
    const members = new Map<string, JsonValue>()
    this.#at += 1
    for (let more = !this.#take('}'); more; more = this.#hasMore('}', path)) {
      this.#skipSpace()
      if (this.#text[this.#at] !== '"') throw this.#unexpected(path)
      const name = this.#readString(path)
      const inner = memberPath(path, name)
      if (members.has(name)) throw malformed(inner, 'is given twice')
      this.#expect(':', inner)
      members.set(name, this.#readValue(inner, depth + 1))
    }
    return { kind: 'object', members }
  }

  #readArray(path: string, depth: number): JsonValue {
    const items: JsonValue[] = []
    this.#at += 1
    for (let more = !this.#take(']'); more; more = this.#hasMore(']', path)) {
      this.#skipSpace()
      items.push(this.#readValue(`${path}[${items.length}]`, depth + 1))
    }
    return { kind: 'array', items }
  }

  #readString(path: string): string {
    const start = this.#at
    let end = start + 1
    while (end < this.#text.length && this.#text[end] !== '"')
      end += this.#text[end] === '\\' ? 2 : 1
    if (end >= this.#text.length) throw malformed(path, 'a string does not end')
    this.#at = end + 1
    const value = decodeString(this.#text.slice(start, end + 1))
    if (value === undefined) throw malformed(path, `position ${start}: not a JSON string`)
    // A lone surrogate has no UTF-8 form: two such texts would be stored as the same one.
    if (!value.isWellFormed()) throw malformed(path, `position ${start}: not well-formed Unicode`)
    return value
  }

  #readWord(): JsonValue | undefined {
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    return undefined
  }

  #readNumber(path: string): JsonValue {
    this.#number.lastIndex = this.#at
    const text = this.#number.exec(this.#text)?.[0]
    if (text === undefined) throw this.#unexpected(path)
    this.#at += text.length
    return { kind: 'number', text }
  }

  /** After a member: `,` and go on, or the closing mark and stop. */
  #hasMore(closing: string, path: string): boolean {
    if (this.#take(closing)) return false
    this.#expect(',', path)
    return true
  }

  #take(mark: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== mark) return false
    this.#at += 1
    return true
  }

  #expect(mark: string, path: string): void {
    if (!this.#take(mark)) throw this.#unexpected(path)
    this.#skipSpace()
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at += 1
  }

  #unexpected(path: string): Error {
    const found = this.#text[this.#at]
    const what =
      found === undefined ? 'the text ends too early' : `${shown(found)} does not belong here`
    return malformed(path, `not JSON, position ${this.#at}: ${what}`)
  }
}

function decodeString(quoted: string): string | undefined {
  try {
    const value: unknown = JSON.parse(quoted)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
