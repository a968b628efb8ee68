import type { Trace } from './trace.ts'
import type { GrantLimits } from './types.ts'

/** Whole seconds, both ends. `durationSeconds` is what is really given, and what policies see. */
export type Lifetime = Readonly<{ issuedAt: Date; expiresAt: Date; durationSeconds: number }>

/** What else bounds a grant, beside the limits of the house. */
export type LifetimeRules = GrantLimits &
  Readonly<{
    /** Without a wish the default counts, and not the end of the proof: certificates live for years. */
    defaultNotProof?: boolean
    /** Nothing lasts longer, whatever is asked for: the end of the session that asks. */
    latestEnd?: Date
  }>

/**
 * How long a grant lasts. A proof that ends by itself (a token) is never outlived, unless `insecureOutliveToken`
 * says so and the caller asks for it; without a wish its own end is taken. Nothing exceeds `maxSeconds`.
 *
 * @param proofEnds when the token expires; `undefined` for keys, which prove no end.
 */
export function chooseLifetime(
  asked: number | undefined,
  proofEnds: Date | undefined,
  limits: LifetimeRules,
  now: Date,
  trace: Trace,
): Lifetime {
  if (asked !== undefined && limits.fixedSeconds === undefined) checkRange(asked, limits, trace)
  const start = Math.floor(now.getTime() / 1000)
  const wish = wishedSeconds(asked, proofEnds, limits)
  const bounded = start + Math.min(wish, limits.maxSeconds)
  const mayOutlive = limits.insecureOutliveToken === true && asked !== undefined
  const within =
    proofEnds === undefined || mayOutlive ? bounded : Math.min(bounded, seconds(proofEnds))
  const end = limits.latestEnd === undefined ? within : Math.min(within, seconds(limits.latestEnd))
  // NaN of a broken date fails this comparison too.
  if (!(end > start) || !((proofEnds?.getTime() ?? Infinity) > now.getTime())) {
    throw trace.refusal('duration', 'expired', 'What proves the caller has expired')
  }
  const durationSeconds = end - start
  trace.ok('duration', describe(durationSeconds, asked))
  return { issuedAt: new Date(start * 1000), expiresAt: new Date(end * 1000), durationSeconds }
}

/** A token that comes without a wish is lived to its end, whatever the fixed duration says (MinIO's rule). */
function wishedSeconds(
  asked: number | undefined,
  proofEnds: Date | undefined,
  { fixedSeconds, defaultSeconds, defaultNotProof }: LifetimeRules,
): number {
  if (asked === undefined && proofEnds !== undefined && !defaultNotProof) return Infinity
  return fixedSeconds ?? asked ?? defaultSeconds
}

function checkRange(asked: number, limits: GrantLimits, trace: Trace): void {
  const { minSeconds, maxSeconds } = limits
  if (Number.isSafeInteger(asked) && asked >= minSeconds && asked <= maxSeconds) return
  throw trace.refusal(
    'duration',
    'invalid_parameter',
    `DurationSeconds must be a whole number from ${minSeconds} to ${maxSeconds}`,
    { detail: { parameter: 'DurationSeconds' } },
  )
}

function seconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000)
}

function describe(given: number, asked: number | undefined): string {
  if (asked === undefined) return `${given} seconds; the caller named no duration`
  if (asked === given) return `${given} seconds, as asked`
  return `${given} seconds instead of the ${asked} asked for: the end of what proves the caller, or a fixed duration`
}
