/** One element of a DER encoding (X.690). `bytes` is all of it, `content` what stands after tag and length. */
export type Element = Readonly<{ tag: number; content: Buffer; bytes: Buffer }>

/** Universal tags, `constructed` where DER says so. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/**
 * Reads exactly one element. Lengths have one encoding each, indefinite ones do not exist, and nothing follows: what
 * two parsers could read in two ways is refused.
 * @throws {SyntaxError}
 */
export function readDer(bytes: Buffer): Element {
  const element = readElement(bytes, 0)
  if (element.bytes.length !== bytes.length) throw new SyntaxError('DER: bytes after the end')
  return element
}

/** The elements in a constructed one. @throws {SyntaxError} also when it has another tag than the expected one */
export function children(parent: Element, tag: number = tags.sequence): Element[] {
  expectTag(parent, tag)
  const found: Element[] = []
  for (let at = 0; at < parent.content.length;) {
    const element = readElement(parent.content, at)
    found.push(element)
    at += element.bytes.length
  }
  return found
}

/** @throws {SyntaxError} when it is absent or has another tag */
export function expectTag(element: Element | undefined, tag: number): Element {
  if (element?.tag === tag) return element
  throw new SyntaxError(`DER: tag ${element?.tag ?? 'none'} where ${tag} was expected`)
}

export function readBoolean(element: Element): boolean {
  const { content } = expectTag(element, tags.boolean)
  if (content.length === 1 && (content[0] === 0 || content[0] === 0xff)) return content[0] === 0xff
  throw new SyntaxError('DER: no boolean')
}

/** Two's complement in lower-case hex, as short as it can be: `00ff` is 255. */
export function readInteger(element: Element | undefined): string {
  const { content } = expectTag(element, tags.integer)
  return readIntegerSpan(content, { tag: tags.integer, start: 0, end: content.length })
}

/** The same of an element that lies in `bytes`. */
export function readIntegerSpan(bytes: Buffer, { tag, start, end }: Span): string {
  const first = bytes[start] ?? 0
  const second = bytes[start + 1] ?? 0
  const isPadded =
    end - start > 1 && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80)
  if (tag === tags.integer && end > start && !isPadded) return bytes.toString('hex', start, end)
  throw new SyntaxError('DER: no integer')
}

/** A small number that is not negative. */
export function readCount(element: Element): number {
  const hex = readInteger(element)
  if (hex.length <= 8 && Number.parseInt(hex.slice(0, 2), 16) < 0x80)
    return Number.parseInt(hex, 16)
  throw new SyntaxError('DER: a number out of bounds')
}

/** `2.5.29.15` */
export function readObjectIdentifier(element: Element | undefined): string {
  const { content } = expectTag(element, tags.objectIdentifier)
  const arcs: number[] = []
  let arc = 0
  for (const [index, byte] of content.entries()) {
    if (arc === 0 && byte === 0x80) throw new SyntaxError('DER: no object identifier')
    arc = arc * 128 + (byte & 0x7f)
    if (!Number.isSafeInteger(arc)) throw new SyntaxError('DER: an object identifier out of bounds')
    if (byte >= 0x80 && index === content.length - 1) throw new SyntaxError('DER: cut off')
    if (byte < 0x80) {
      arcs.push(arc)
      arc = 0
    }
  }
  const [first, ...rest] = arcs
  if (first === undefined) throw new SyntaxError('DER: no object identifier')
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - root * 40, ...rest].join('.')
}

/** The bytes of a bit string and how many bits at its end do not count. */
export function readBitString(element: Element | undefined): { bytes: Buffer; unused: number } {
  const { content } = expectTag(element, tags.bitString)
  const [unused = 8] = content
  const isEmpty = content.length === 1 && unused !== 0
  if (unused > 7 || isEmpty) throw new SyntaxError('DER: no bit string')
  return { bytes: content.subarray(1), unused }
}

function readElement(bytes: Buffer, at: number): Element {
  const { tag, start, end } = readSpan(bytes, at)
  return { tag, content: bytes.subarray(start, end), bytes: bytes.subarray(at, end) }
}

/** Where an element's content lies. For long lists: an `Element` for each member would take most of the time. */
export type Span = Readonly<{ tag: number; start: number; end: number }>

/** @throws {SyntaxError} */
export function readSpan(bytes: Buffer, at: number): Span {
  const tag = bytes[at]
  if (tag === undefined) throw new SyntaxError('DER: cut off')
  if ((tag & 0x1f) === 0x1f) throw new SyntaxError('DER: a long tag')
  const first = bytes[at + 1] ?? 0x80
  const start = at + 2 + (first < 0x80 ? 0 : first & 0x7f)
  const length = first < 0x80 ? first : readLongLength(bytes, at + 2, first & 0x7f)
  const end = start + length
  if (end > bytes.length) throw new SyntaxError('DER: cut off')
  return { tag, start, end }
}

function readLongLength(bytes: Buffer, at: number, count: number): number {
  if (count === 0 || count > 4 || at + count > bytes.length) {
    throw new SyntaxError('DER: no length that is followed here')
  }
  const length = bytes.readUIntBE(at, count)
  if (length < 0x80 || length < 256 ** (count - 1)) throw new SyntaxError('DER: a padded length')
  return length
}
