const longestBytes = 64 * 1024 * 1024

/**
 * The DER of every block with this label in a PEM text (RFC 7468), in order; or the bytes themselves when they are DER.
 * @throws {SyntaxError} when there is none, or when a block does not end
 */
export function readPemOrDer(bytes: Buffer, label: string): readonly Buffer[] {
  if (bytes.length > longestBytes) throw new SyntaxError('a file of more than 64 MiB')
  if (bytes[0] === 0x30 && bytes[1] !== undefined && bytes[1] >= 0x80) return [bytes]
  return readPem(bytes.toString('latin1'), label)
}

/** @throws {SyntaxError} */
export function readPem(text: string, label: string): readonly Buffer[] {
  const begin = `-----BEGIN ${label}-----`
  const end = `-----END ${label}-----`
  const blocks = text.split(begin).slice(1)
  if (blocks.length === 0) throw new SyntaxError(`no ${label} in PEM`)
  return blocks.map((block) => {
    const [body, ...rest] = block.split(end)
    if (body === undefined || rest.length === 0) throw new SyntaxError(`a ${label} without its end`)
    return readBase64(body.replace(/\s+/g, ''))
  })
}

/** Strict: other characters, missing padding and bits that nobody reads are refused. @throws {SyntaxError} */
export function readBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (text !== '' && bytes.toString('base64') === text) return bytes
  throw new SyntaxError('no base64')
}
