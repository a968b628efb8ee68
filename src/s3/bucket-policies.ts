import { Refusal } from '../errors.ts'
import { parsePolicy } from '../policy/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import { OriginError } from './origin-error.ts'
import type { Origin } from './origin.ts'

const mostKept = 256

/** Bucket policies by their text, parsed once. Bounded: the one that was not asked for longest goes first. */
export class BucketPolicies {
  readonly #parsed = new Map<string, NamedPolicy['policy']>()

  /** `undefined` in, `undefined` out. A text that no longer parses denies everything in its layer. */
  find(bucket: string, text: string | undefined): NamedPolicy | undefined {
    if (text === undefined) return undefined
    const policy = this.#parsed.get(text) ?? parse(text)
    this.#parsed.delete(text)
    this.#parsed.set(text, policy)
    if (this.#parsed.size > mostKept) {
      const [oldest] = this.#parsed.keys()
      if (oldest !== undefined) this.#parsed.delete(oldest)
    }
    return { name: `bucket policy of ${bucket}`, policy }
  }
}

/** For questions about who may do what. `undefined`: the bucket has no policy, or there is no such bucket. */
export function bucketPolicyFinder(
  origin: Pick<Origin, 'handle'>,
): (bucket: string) => Promise<NamedPolicy | undefined> {
  const policies = new BucketPolicies()
  return async (name) => {
    try {
      const bucket = await origin.handle('HeadBucket', { bucket: name })
      return policies.find(name, bucket.policy)
    } catch (error) {
      if (error instanceof OriginError && error.code === 'no_such_bucket') return undefined
      throw error
    }
  }
}

function parse(text: string): NamedPolicy['policy'] {
  try {
    return parsePolicy(text, 'bucket')
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'broken', problem: error.message }
    throw error
  }
}
