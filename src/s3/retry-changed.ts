import { OriginError } from './origin-error.ts'

const mostRetries = 3

/**
 * Does what was judged. Where the origin says that the source has become another one meanwhile, the new one is judged,
 * which may refuse it, and all begins again: a client that set no condition on the source has no use for the conflict.
 *
 * @throws OriginError `conditional_conflict` when it changes faster than that.
 */
export async function retryChanged<Judged, Result>(
  first: Judged,
  judge: () => Promise<Judged>,
  act: (judged: Judged) => Promise<Result>,
): Promise<Result> {
  let judged = first
  for (let retries = 0; ; retries++) {
    try {
      return await act(judged)
    } catch (error) {
      if (retries === mostRetries || !isConflict(error)) throw error
      judged = await judge()
    }
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof OriginError && error.code === 'conditional_conflict'
}
