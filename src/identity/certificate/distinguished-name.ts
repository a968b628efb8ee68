import { children, readObjectIdentifier, tags, type Element } from './der.ts'
import { readText } from './der-values.ts'

/** One attribute of a distinguished name. `text` is absent where the value is no text. */
type Attribute = Readonly<{ oid: string; text?: string; value: Buffer }>

export type DistinguishedName = Readonly<{
  /** As it was signed. Two names are the same name when these bytes are (RFC 5280 section 4.1.2.4). */
  bytes: Buffer
  /** RFC 4514: the last attribute first. */
  text: string
  /** Empty where there is none, and where there are several: which one would count is anybody's guess. */
  commonName: string
  organizations: readonly string[]
  organizationalUnits: readonly string[]
}>

const commonName = '2.5.4.3'
const organization = '2.5.4.10'
const organizationalUnit = '2.5.4.11'

/** RFC 4514 section 3, and what RFC 4519 adds that people use. Others are written by number. */
const shortNames = new Map([
  [commonName, 'CN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  [organization, 'O'],
  [organizationalUnit, 'OU'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
])
const texts = new Set<number>([
  tags.utf8String,
  tags.printableString,
  tags.teletexString,
  tags.ia5String,
  tags.bmpString,
])

const longestBytes = 2048

/** @throws {SyntaxError} */
export function readName(name: Element): DistinguishedName {
  if (name.bytes.length > longestBytes) throw new SyntaxError('a name of too many bytes')
  const sets = children(name).map((set) => children(set, tags.set).map(readAttribute))
  const attributes = sets.flat()
  const textsOf = (oid: string) =>
    attributes.flatMap((found) => (found.oid === oid && found.text ? [found.text] : []))
  const commonNames = attributes.filter(({ oid }) => oid === commonName)
  return {
    bytes: name.bytes,
    text: sets.toReversed().map(writeSet).join(','),
    commonName: commonNames.length === 1 ? (commonNames[0]?.text ?? '') : '',
    organizations: textsOf(organization),
    organizationalUnits: textsOf(organizationalUnit),
  }
}

function readAttribute(element: Element): Attribute {
  const [type, value, ...rest] = children(element)
  const oid = readObjectIdentifier(type)
  if (value === undefined || rest.length > 0) throw new SyntaxError('DER: no attribute of a name')
  if (texts.has(value.tag)) return { oid, value: value.bytes, text: readText(value) }
  return { oid, value: value.bytes }
}

function writeSet(attributes: readonly Attribute[]): string {
  return attributes.map(writeAttribute).join('+')
}

function writeAttribute({ oid, text, value }: Attribute): string {
  const shortName = shortNames.get(oid)
  if (shortName === undefined || text === undefined) return `${oid}=#${value.toString('hex')}`
  return `${shortName}=${escapeValue(text)}`
}

/** RFC 4514 section 2.4. */
function escapeValue(text: string): string {
  return text
    .replace(/["+,;<=>\\]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')
}
