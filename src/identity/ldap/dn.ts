/** One attribute of a relative name: its type in lower case, its value without any escapes. */
type Attribute = Readonly<{ type: string; value: string }>

/** A distinguished name as parsed: relative names, the entry's own first. Never empty. */
export type Dn = readonly (readonly Attribute[])[]

const longestDn = 8192
const mostNames = 100

/** RFC 4514, section 3: these types are known by a name and by a number alike. */
const namesOfNumbers = new Map([
  ['2.5.4.3', 'cn'],
  ['2.5.4.6', 'c'],
  ['2.5.4.7', 'l'],
  ['2.5.4.8', 'st'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'o'],
  ['2.5.4.11', 'ou'],
  ['0.9.2342.19200300.100.1.1', 'uid'],
  ['0.9.2342.19200300.100.1.25', 'dc'],
])

/**
 * Reads the string form of a distinguished name (RFC 4514, section 3), with spaces around separators as RFC 2253 lets
 * old writers put them.
 * @throws {TypeError} for anything else, for the empty name, and for a name whose bytes were not UTF-8
 */
export function parseDn(text: string): Dn {
  if (text.length > longestDn) throw new TypeError('the distinguished name is too long')
  // A decoder that met bytes of no text writes this, and two names with different bytes would look the same.
  if (text.includes('\uFFFD')) throw new TypeError('the distinguished name is not UTF-8')
  const reader = new DnReader(text)
  const names: Attribute[][] = []
  do names.push(reader.readRelativeName())
  while (reader.takes(',') && names.length < mostNames)
  if (!reader.isAtEnd) throw new TypeError('the distinguished name has too many parts')
  return names
}

/** The canonical spelling: types in lower case, no spare spaces, one way to escape. Values stay as they are. */
export function formatDn(dn: Dn): string {
  return dn.map(formatRelativeName).join(',')
}

/**
 * What two spellings of one name have in common: the canonical spelling in lower case. It is what subjects, groups and
 * policy mappings are compared by. Spaces inside a value count, since to Active Directory they do.
 * @throws {TypeError} as `parseDn`
 */
export function normaliseDn(text: string): string {
  return formatDn(
    parseDn(text).map((name) => name.map(({ type, value }) => ({ type, value: foldCase(value) }))),
  )
}

/** Is it the entry `above` or one below it? Both are normalised. */
export function isWithin(dn: string, above: string): boolean {
  const [names, ends] = [parseDn(dn), parseDn(above)]
  return (
    names.length >= ends.length &&
    formatDn(names.slice(names.length - ends.length)) === formatDn(ends)
  )
}

/** One letter at a time: a whole text would turn a last `Σ` into `ς` and one in the middle into `σ`. */
function foldCase(value: string): string {
  if (plain.test(value)) return value.toLowerCase()
  return Array.from(value, (letter) => letter.toLowerCase()).join('')
}

function formatRelativeName(name: readonly Attribute[]): string {
  return name
    .map(({ type, value }) => `${type}=${escapeValue(value)}`)
    .toSorted()
    .join('+')
}

const special = new Set(['"', '+', ',', ';', '<', '>', '\\'])

/** Nothing in it is escaped, and its letters are ASCII: nearly every value that there is. */
const plain = /^[\w.@-](?:[\w.@ -]*[\w.@-])?$/

function escapeValue(value: string): string {
  if (plain.test(value)) return value
  const last = value.length - 1
  return value
    .split('')
    .map((char, index) => escapeChar(char, index === 0, index === last))
    .join('')
}

function escapeChar(char: string, isFirst: boolean, isLast: boolean): string {
  const code = char.charCodeAt(0)
  if (code < 0x20 || code === 0x7f) return `\\${code.toString(16).padStart(2, '0')}`
  if (special.has(char)) return `\\${char}`
  if (char === ' ' && (isFirst || isLast)) return '\\ '
  return char === '#' && isFirst ? '\\#' : char
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeOrNothing(bytes: Buffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return ''
  }
}

class DnReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  takes(separator: string): boolean {
    if (this.#text[this.#at] !== separator) return false
    this.#at += 1
    return true
  }

  readRelativeName(): Attribute[] {
    const attributes: Attribute[] = []
    do attributes.push({ type: this.#readType(), value: this.#readValue() })
    while (this.takes('+') && attributes.length < mostNames)
    return attributes
  }

  #readType(): string {
    this.#skipSpaces()
    const type = this.#take(/(?:oid\.)?(?:[a-z][a-z0-9-]*|\d+(?:\.\d+)+)/iy)
    this.#skipSpaces()
    if (!this.takes('=')) throw this.#wrong()
    this.#skipSpaces()
    const plain = type.toLowerCase().replace(/^oid\./, '')
    return namesOfNumbers.get(plain) ?? plain
  }

  #readValue(): string {
    const bytes: Buffer[] = []
    // Spaces that wait for what comes after them: before a separator they belong to nobody.
    let spaces = ''
    // `#` opens the form in BER, which servers use for types that they do not know.
    if (this.#text[this.#at] === '#') throw this.#wrong()
    while (!this.#isAtSeparator()) {
      if (this.takes(' ')) {
        spaces += ' '
        continue
      }
      bytes.push(Buffer.from(spaces), this.takes('\\') ? this.#readEscaped() : this.#readPlain())
      spaces = ''
    }
    if (bytes.length === 0) throw this.#wrong()
    return this.#decode(Buffer.concat(bytes))
  }

  #isAtSeparator(): boolean {
    const char = this.#text[this.#at]
    return char === undefined || char === ',' || char === '+'
  }

  #readPlain(): Buffer {
    return Buffer.from(this.#take(/[^\\ ,+"<>;\0]+/y))
  }

  #readEscaped(): Buffer {
    const escaped = this.#take(/[0-9a-f]{2}|[ "#+,;<=>\\]/iy)
    return escaped.length === 2 ? Buffer.from(escaped, 'hex') : Buffer.from(escaped)
  }

  #decode(bytes: Buffer): string {
    const value = decodeOrNothing(bytes)
    if (value.includes('\uFFFD') || value === '') throw this.#wrong()
    return value
  }

  #skipSpaces(): void {
    while (this.takes(' ')) continue
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) throw this.#wrong()
    this.#at = pattern.lastIndex
    return found
  }

  #wrong(): TypeError {
    return new TypeError(
      `no distinguished name: character ${this.#at + 1} is not what it should be`,
    )
  }
}
