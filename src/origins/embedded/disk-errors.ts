import { OriginError } from '../../s3/index.ts'

/** Waits for the disk. A full, broken or vanished one is a passing state of ours, not the caller's mistake. */
export async function onDisk<Value>(operation: Promise<Value>): Promise<Value> {
  try {
    return await operation
  } catch (cause) {
    const message = 'The storage cannot be used at the moment. Try again.'
    throw new OriginError('unavailable', message, { cause })
  }
}
