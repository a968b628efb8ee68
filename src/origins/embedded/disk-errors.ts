import { OriginError } from '../../s3/index.ts'

/** A full, broken or vanished disk is a passing state of ours, not the caller's mistake. */
export function diskFailure(cause: unknown): OriginError {
  return new OriginError('unavailable', 'The storage cannot be used at the moment. Try again.', {
    cause,
  })
}

/** Waits for the disk. */
export async function onDisk<Value>(operation: Promise<Value>): Promise<Value> {
  try {
    return await operation
  } catch (cause) {
    throw diskFailure(cause)
  }
}
