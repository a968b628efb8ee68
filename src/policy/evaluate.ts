import { prepareAsk, type Ask } from './ask.ts'
import { candidatesOf, type Place } from './compiled-policy.ts'
import { candidateMatches } from './match.ts'
import type { Access, Ceiling, Facts, NamedPolicy, PolicyPrincipal, Question } from './types.ts'

/** What one document or one layer says to one access. `deny` is final. */
export type Verdict = 'allow' | 'deny' | 'no-match'

/**
 * The hot path: yes only if every access is allowed. `explain` gives the same answer with its reasons.
 *
 * The order does not matter, the rule does: an explicit deny in any layer wins; every ceiling must allow; then the
 * identity policies or the bucket policy must allow. Root needs no allow of its own, and bucket policies do not bind it.
 */
export function isAllowed(question: Question): boolean {
  for (const access of question.accesses) if (!isAccessAllowed(access, question)) return false
  return question.accesses.length > 0
}

/**
 * The check when credentials are issued: only explicit denies of the identity policies and the ceilings count, and
 * broken policies, whose denies nobody knows. Nothing asked counts as denied.
 */
export function isDeniedAtIssue(question: Question): boolean {
  const layers = [question.identity, ...question.ceilings.map(({ policies }) => policies)]
  return (
    question.accesses.length === 0 ||
    question.accesses.some((access) => {
      const ask = prepareAsk(access, question)
      return (
        ask === undefined ||
        layers.some((policies) => judgeLayer(policies, ask, 'identity') === 'deny')
      )
    })
  )
}

function isAccessAllowed(access: Access, question: Question): boolean {
  const { identity, ceilings } = question
  const ask = prepareAsk(access, question)
  if (ask === undefined) return false
  const byIdentity = judgeLayer(identity, ask, 'identity')
  if (byIdentity === 'deny') return false
  const byBucket = judgeBucket(ask)
  if (byBucket === 'deny' || !allCeilingsAllow(ceilings, ask)) return false
  return isGranted(ask, byIdentity, byBucket)
}

/** Whether something below the ceilings grants the access. */
export function isGranted({ principal }: Ask, byIdentity: Verdict, byBucket: Verdict): boolean {
  if (principal.kind === 'root' || principal.kind === 'root-session') return true
  if (byBucket === 'allow') return true
  return byIdentity === 'allow' && (principal.kind === 'user' || principal.kind === 'session')
}

/** Root stands above bucket policies, so that an owner can always undo one. */
function judgeBucket(ask: Ask): Verdict {
  const { bucketPolicy } = ask.access
  if (bucketPolicy === undefined || ask.principal.kind === 'root') return 'no-match'
  return judgePolicy(bucketPolicy, ask, 'bucket')
}

/** Whether the bucket policy alone forbids the access. An unknown action is forbidden, too. */
export function isDeniedByBucket(
  access: Access,
  principal: PolicyPrincipal,
  facts: Facts,
): boolean {
  const ask = prepareAsk(access, { facts, principal })
  return ask === undefined || judgeBucket(ask) === 'deny'
}

function allCeilingsAllow(ceilings: readonly Ceiling[], ask: Ask): boolean {
  for (const { policies } of ceilings) {
    if (judgeLayer(policies, ask, 'identity') !== 'allow') return false
  }
  return true
}

/** Documents of one layer unite: any deny denies, else any allow allows. A layer without documents allows nothing. */
function judgeLayer(policies: readonly NamedPolicy[], ask: Ask, place: Place): Verdict {
  let verdict: Verdict = 'no-match'
  for (const policy of policies) {
    const one = judgePolicy(policy, ask, place)
    if (one === 'deny') return one
    if (one === 'allow') verdict = one
  }
  return verdict
}

function judgePolicy({ policy }: NamedPolicy, ask: Ask, place: Place): Verdict {
  const candidates = candidatesOf(policy, place, ask)
  if (typeof candidates === 'string') return 'deny'
  let verdict: Verdict = 'no-match'
  for (const candidate of candidates) {
    const { effect } = candidate.statement
    // once something allows, only a deny can still change the verdict
    if (verdict === 'allow' && effect === 'Allow') continue
    if (!candidateMatches(candidate, ask)) continue
    if (effect === 'Deny') return 'deny'
    verdict = 'allow'
  }
  return verdict
}
