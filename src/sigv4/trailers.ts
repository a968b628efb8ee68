import { SigV4Error } from './sigv4-error.ts'

const checksumTrailers: ReadonlySet<string> = new Set([
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
])
const signatureName = 'x-amz-trailer-signature'
const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\r]*)$/

/** The one trailer that `x-amz-trailer` announces, in lower case. Throws `malformed_trailer`, `invalid_trailer`. */
export function parseTrailerName(declared: string | undefined): string {
  const name = declared?.trim().toLowerCase() ?? ''
  if (name === '') {
    throw new SigV4Error('malformed_trailer', 'x-amz-trailer must name the trailer of this body.')
  }
  if (!checksumTrailers.has(name)) {
    throw new SigV4Error(
      'invalid_trailer',
      'x-amz-trailer must name one checksum that is known: crc32, crc32c, crc64nvme, sha1 or sha256.',
    )
  }
  return name
}

export type TrailerSection = Readonly<{
  value: string
  /** `name:value LF`, as signers hash it. */
  canonical: string
  /** Of a signed section. */
  signature?: string
}>

/**
 * What follows the last chunk's line, latin1: `name:value`, ended by LF or CRLF, then when `signed` the signature's line,
 * then an empty line. One further empty line is let pass: some clients set one apart.
 * Throws `incomplete_body` for broken framing, `malformed_trailer` for other fields than the announced.
 */
export function parseTrailerSection(text: string, name: string, signed: boolean): TrailerSection {
  const fields = parseFields(text)
  const signature = signed ? fields.pop() : undefined
  if (signed && signature?.name !== signatureName) {
    throw new SigV4Error('malformed_trailer', `The trailer must end in ${signatureName}.`)
  }
  const [trailer, ...more] = fields
  if (trailer?.name !== name || more.length > 0) {
    throw new SigV4Error(
      'malformed_trailer',
      'The trailer is not the one that x-amz-trailer names.',
    )
  }
  const section = { value: trailer.value, canonical: `${name}:${trailer.value}\n` }
  return signature === undefined ? section : { ...section, signature: signature.value }
}

function parseFields(text: string): { name: string; value: string }[] {
  if (text === '\r\n') return []
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  const blanks = lines.slice(0, -1).filter((line) => line === '').length
  if (!text.endsWith('\n\r\n') || lines[0] === '' || blanks > 2) throw brokenTrailer()
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [, name, value] = field.exec(line) ?? []
      if (name === undefined || value === undefined) throw brokenTrailer()
      return { name: name.toLowerCase(), value: withoutSpace(value) }
    })
}

/** Of spaces and tabs around it. By hand: a pattern for the end looks at each run of them from each of its places. */
function withoutSpace(value: string): string {
  const isSpace = (at: number) => value[at] === ' ' || value[at] === '\t'
  let [start, end] = [0, value.length]
  while (start < end && isSpace(start)) start += 1
  while (end > start && isSpace(end - 1)) end -= 1
  return value.slice(start, end)
}

function brokenTrailer(): SigV4Error {
  return new SigV4Error('incomplete_body', 'The trailer section of the body is broken or cut off.')
}
