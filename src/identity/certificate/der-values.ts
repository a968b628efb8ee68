import { isUtf8 } from 'node:buffer'
import {
  children,
  expectTag,
  readBoolean,
  readDer,
  readObjectIdentifier,
  tags,
  type Element,
} from './der.ts'

/**
 * A text of a name. Control characters are refused: `alice\0.example` is `alice` to some readers (and no log, header
 * or XML document can carry it).
 * @throws {SyntaxError} for other encodings too
 */
export function readText({ tag, content }: Element): string {
  const text = decode(tag, content)
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  if (text !== undefined && !/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/.test(text)) return text
  throw new SyntaxError('DER: a name that is no sound text')
}

function decode(tag: number, content: Buffer): string | undefined {
  switch (tag) {
    case tags.utf8String:
      return isUtf8(content) ? content.toString('utf8') : undefined
    case tags.printableString:
    case tags.ia5String:
    case tags.teletexString: // in the wild its upper half means several things
      return content.every((byte) => byte < 0x80) ? content.toString('latin1') : undefined
    case tags.bmpString: {
      if (content.length % 2 !== 0) return undefined
      const text = Buffer.from(content).swap16().toString('utf16le')
      return text.isWellFormed() ? text : undefined
    }
    default:
      return undefined
  }
}

/** UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 narrows them: in UTC, with seconds, without fractions. */
export function readTime(element: Element | undefined): Date {
  const isUtc = element?.tag === tags.utcTime
  const { content } = expectTag(element, isUtc ? tags.utcTime : tags.generalizedTime)
  const text = content.toString('latin1')
  const match = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  const [, year = '', month, day, hour, minute, second] = match ?? []
  if (year.length !== (isUtc ? 2 : 4)) throw new SyntaxError('DER: no time')
  const century = isUtc ? (Number(year) < 50 ? '20' : '19') : ''
  const iso = `${century}${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const time = new Date(iso)
  // 30 February would otherwise be 2 March.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso)
    throw new SyntaxError('DER: no time')
  return time
}

const hashes = new Map([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

/** How a certificate or a list is signed. `hash` is `null` where the algorithm has its own. */
export type SignatureAlgorithm = Readonly<{ hash: string | null; padding: 'pss' | 'default' }>

const algorithms = new Map<string, SignatureAlgorithm>([
  ['1.2.840.113549.1.1.11', { hash: 'sha256', padding: 'default' }],
  ['1.2.840.113549.1.1.12', { hash: 'sha384', padding: 'default' }],
  ['1.2.840.113549.1.1.13', { hash: 'sha512', padding: 'default' }],
  ['1.2.840.10045.4.3.2', { hash: 'sha256', padding: 'default' }],
  ['1.2.840.10045.4.3.3', { hash: 'sha384', padding: 'default' }],
  ['1.2.840.10045.4.3.4', { hash: 'sha512', padding: 'default' }],
  ['1.3.101.112', { hash: null, padding: 'default' }],
  ['1.3.101.113', { hash: null, padding: 'default' }],
])
const rsaPss = '1.2.840.113549.1.1.10'

/**
 * `undefined`: one that we do not take, MD5 and SHA-1 among them, for which a CA can be led to sign what it never saw.
 * RSASSA-PSS (RFC 4055) has to name its hash, since the one that it means without saying so is SHA-1.
 */
export function readAlgorithm(element: Element | undefined): SignatureAlgorithm | undefined {
  const [identifier, parameters] = children(expectTag(element, tags.sequence))
  const oid = readObjectIdentifier(identifier)
  if (oid !== rsaPss) return algorithms.get(oid)
  if (parameters === undefined) return undefined
  const [tagged] = children(parameters)
  if (tagged?.tag !== 0xa0) return undefined
  const [algorithm] = children(tagged, 0xa0)
  const hash = hashes.get(readObjectIdentifier(children(expectTag(algorithm, tags.sequence))[0]))
  return hash === undefined ? undefined : { hash, padding: 'pss' }
}

export type Extension = Readonly<{ critical: boolean; value: Element }>

/** Extensions by their identifier (RFC 5280 section 4.2). @throws {SyntaxError} when one stands twice */
export function readExtensions(list: Element): ReadonlyMap<string, Extension> {
  const found = new Map<string, Extension>()
  for (const element of children(list)) {
    const [identifier, ...rest] = children(element)
    const oid = readObjectIdentifier(identifier)
    const value = rest.at(-1)
    const [critical] = rest.length === 2 ? rest : []
    if (rest.length > 2 || found.has(oid)) throw new SyntaxError('DER: no extensions')
    found.set(oid, {
      // DER leaves out what is the default, yet some write `FALSE`.
      critical: critical !== undefined && readBoolean(critical),
      value: readDer(expectTag(value, tags.octetString).content),
    })
  }
  return found
}
