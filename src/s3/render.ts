import type { Checksum } from '../checksums/index.ts'
import { element } from './xml.ts'

/** `<ChecksumCRC32>…</ChecksumCRC32><ChecksumType>…</ChecksumType>`, or nothing. */
export function renderChecksum(checksum: Checksum | undefined): string {
  if (checksum === undefined) return ''
  return renderChecksumValue(checksum) + element('ChecksumType', checksum.type)
}

/** The value alone, as lists of parts have it. */
export function renderChecksumValue(checksum: Checksum | undefined): string {
  return checksum === undefined ? '' : element(`Checksum${checksum.algorithm}`, checksum.value)
}
