import { crc32, deflateRawSync } from 'node:zlib'

export type ZipEntry = Readonly<{
  name: string
  content: Buffer | string
  /** What the archive says of it; the truth when absent. */
  claims?: Readonly<{ size?: number; crc32?: number; flags?: number }>
}>

/** A zip archive, byte by byte (APPNOTE.TXT 4.3), so that it may also say what no tool would write. */
export function zipOf(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const [local, directory] = headers(entry, offset)
    locals.push(local)
    central.push(directory)
    offset += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

function headers({ name, content, claims = {} }: ZipEntry, offset: number): [Buffer, Buffer] {
  const plain = Buffer.from(content)
  const packed = deflateRawSync(plain)
  const encoded = Buffer.from(name)
  const common = Buffer.alloc(26)
  common.writeUInt16LE(20, 0)
  common.writeUInt16LE(claims.flags ?? 0x0800, 2)
  common.writeUInt16LE(8, 4)
  common.writeUInt32LE(claims.crc32 ?? crc32(plain), 10)
  common.writeUInt32LE(packed.length, 14)
  common.writeUInt32LE(claims.size ?? plain.length, 18)
  common.writeUInt16LE(encoded.length, 22)
  const local = Buffer.concat([signature(0x04034b50), common, encoded, packed])
  const tail = Buffer.alloc(14)
  tail.writeUInt32LE(offset, 10)
  const madeBy = Buffer.from([20, 3])
  return [local, Buffer.concat([signature(0x02014b50), madeBy, common, tail, encoded])]
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
