import { createChecksum } from '../../checksums/index.ts'
import type { Checksum, ChecksumAlgorithm } from '../../checksums/index.ts'
import type { NewContent } from './commands.ts'
import type { Location } from './contents.ts'
import type { DataFiles } from './data-files.ts'
import { bytesBody, ObjectBodyReader } from './object-body.ts'
import { UnknownOutcome } from './writer.ts'

/** Call it in the tick of the look-up: from here on the files stay until the body is read or destroyed. */
export function openLocation(
  files: DataFiles,
  location: Location | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  if (location === undefined) return Promise.resolve(bytesBody(new Uint8Array()))
  if (location.kind === 'inline') return Promise.resolve(bytesBody(location.bytes))
  return new ObjectBodyReader(files, location.slices).begin()
}

export async function checksumOf(
  body: AsyncIterable<Uint8Array>,
  algorithm: ChecksumAlgorithm,
): Promise<Checksum> {
  const checksum = createChecksum(algorithm)
  for await (const chunk of body) checksum.update(chunk)
  return { algorithm, type: 'FULL_OBJECT', value: checksum.digest() }
}

/** Commits what was received. A file that the index refuses is removed; one of unknown fate is left to the next start. */
export async function commitContent<Value>(
  files: DataFiles,
  content: NewContent,
  commit: () => Promise<Value>,
): Promise<Value> {
  const file = content !== undefined && 'file' in content ? content.file : undefined
  try {
    const value = await commit()
    if (file !== undefined) files.settle(file)
    return value
  } catch (error) {
    if (file !== undefined && !(error instanceof UnknownOutcome)) await files.discard(file)
    throw error
  }
}
