import { prepareAsk, type Ask } from './ask.ts'
import type { CompiledStatement } from './compile.ts'
import { candidatesOf, type Place } from './compiled-policy.ts'
import { isGranted, type Verdict } from './evaluate.ts'
import { candidateMatches } from './match.ts'
import type {
  Access,
  AccessDecision,
  Decision,
  LayerVerdict,
  NamedPolicy,
  Question,
} from './types.ts'

/** The answer of `isAllowed` with its reasons: every layer, every policy, the statements that decided. */
export function explain(question: Question): Decision {
  return decide(question, explainAccess)
}

/** The answer of `isDeniedAtIssue` with its reasons; `allowed` means: not denied. */
export function explainIssue(question: Question): Decision {
  return decide(question, explainIssueAccess)
}

function decide(
  question: Question,
  explainOne: (access: Access, question: Question) => AccessDecision,
): Decision {
  const accesses = question.accesses.map((access) => explainOne(access, question))
  const allowed = accesses.length > 0 && accesses.every(({ outcome }) => outcome === 'allow')
  return { allowed, accesses }
}

function explainAccess(access: Access, question: Question): AccessDecision {
  const ask = prepareAsk(access, question)
  if (ask === undefined) return unknownAction(access)
  const identity = explainLayer('identity', 'identity policies', question.identity, ask)
  const bucket = explainBucket(ask)
  const ceilings = explainCeilings(question, ask)
  const layers = [...rootLayer(ask), identity, ...bucket, ...ceilings]
  const denial = layers.find(({ verdict }) => verdict === 'deny')
  if (denial !== undefined) return denied(access, denial, layers)
  const low = ceilings.find(({ verdict }) => verdict !== 'allow')
  if (low !== undefined) return implicit(access, noAllow([low], access), layers)
  if (!isGranted(ask, identity.verdict, bucket[0]?.verdict ?? 'no-match')) {
    const asked = question.principal.kind === 'anonymous' ? bucket : [identity, ...bucket]
    return implicit(access, noAllow(asked, access), layers)
  }
  return { ...named(access), outcome: 'allow', reason: allowReason(access, layers), layers }
}

function explainIssueAccess(access: Access, question: Question): AccessDecision {
  const ask = prepareAsk(access, question)
  if (ask === undefined) return unknownAction(access)
  const identity = explainLayer('identity', 'identity policies', question.identity, ask)
  const layers = [identity, ...explainCeilings(question, ask)]
  const denial = layers.find(({ verdict }) => verdict === 'deny')
  if (denial !== undefined) return denied(access, denial, layers)
  const reason = `nothing denies ${access.action} on ${access.resource}`
  return { ...named(access), outcome: 'allow', reason, layers }
}

function rootLayer({ principal }: Ask): readonly LayerVerdict[] {
  if (principal.kind !== 'root' && principal.kind !== 'root-session') return []
  return [{ layer: 'root', name: principal.kind, verdict: 'allow', policies: [] }]
}

function explainBucket(ask: Ask): readonly LayerVerdict[] {
  const { bucketPolicy } = ask.access
  if (bucketPolicy === undefined || ask.principal.kind === 'root') return []
  return [explainLayer('bucket', 'bucket policy', [bucketPolicy], ask)]
}

export function explainCeilings(
  { ceilings }: Pick<Question, 'ceilings'>,
  ask: Ask,
): readonly LayerVerdict[] {
  return ceilings.map(({ name, policies }) => explainLayer('ceiling', name, policies, ask))
}

export function explainLayer(
  layer: LayerVerdict['layer'],
  name: string,
  policies: readonly NamedPolicy[],
  ask: Ask,
): LayerVerdict {
  const place = layer === 'bucket' ? 'bucket' : 'identity'
  const verdicts = policies.map((policy) => explainPolicy(policy, ask, place))
  return {
    layer,
    name,
    verdict: united(verdicts.map(({ verdict }) => verdict)),
    policies: verdicts,
  }
}

type PolicyVerdict = LayerVerdict['policies'][number]
type StatementVerdict = PolicyVerdict['statements'][number]

function explainPolicy({ name, policy }: NamedPolicy, ask: Ask, place: Place): PolicyVerdict {
  const candidates = candidatesOf(policy, place, ask)
  if (typeof candidates === 'string') {
    return { policy: name, verdict: 'deny', statements: [], problem: candidates }
  }
  const matching = candidates.filter((candidate) => candidateMatches(candidate, ask))
  return policyVerdict(
    name,
    matching.map(({ statement }) => statement),
  )
}

/** What a policy says by its statements that speak of the access. */
export function policyVerdict(
  policy: string,
  matching: readonly CompiledStatement[],
): PolicyVerdict {
  const verdict = united(matching.map(({ effect }) => (effect === 'Deny' ? 'deny' : 'allow')))
  const deciding = matching.filter(({ effect }) => verdict !== 'deny' || effect === 'Deny')
  return {
    policy,
    verdict,
    statements: deciding.map(({ index, sid, effect }): StatementVerdict =>
      sid === undefined ? { index, effect } : { index, sid, effect },
    ),
  }
}

function united(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('deny')) return 'deny'
  return verdicts.includes('allow') ? 'allow' : 'no-match'
}

export function named({ action, resource }: Access): Pick<AccessDecision, 'action' | 'resource'> {
  return { action, resource }
}

export function unknownAction(access: Access): AccessDecision {
  return implicit(access, `${access.action} is not an action that is evaluated here`, [])
}

export function implicit(
  access: Access,
  reason: string,
  layers: readonly LayerVerdict[],
): AccessDecision {
  return { ...named(access), outcome: 'implicit-deny', reason, layers }
}

export function denied(
  access: Access,
  { policies }: LayerVerdict,
  layers: readonly LayerVerdict[],
): AccessDecision {
  const policy = policies.find(({ verdict }) => verdict === 'deny')
  return { ...named(access), outcome: 'explicit-deny', reason: denyReason(access, policy), layers }
}

function denyReason({ action, resource }: Access, policy: PolicyVerdict | undefined): string {
  if (policy?.problem !== undefined) {
    return `policy "${policy.policy}" cannot be used and denies everything: ${policy.problem}`
  }
  const by = policy === undefined ? 'a policy' : decidedBy(policy)
  return `${by} denies ${action} on ${resource}`
}

function allowReason({ action, resource }: Access, layers: readonly LayerVerdict[]): string {
  const granting = layers.find(({ layer, verdict }) => layer !== 'ceiling' && verdict === 'allow')
  const policy = granting?.policies.find(({ verdict }) => verdict === 'allow')
  const by = policy === undefined ? 'root' : decidedBy(policy)
  return policy === undefined
    ? `${by} may do everything that no ceiling or deny forbids`
    : `${by} allows ${action} on ${resource}`
}

export function decidedBy({ policy, statements }: PolicyVerdict): string {
  const [first] = statements
  const sid = first?.sid === undefined ? '' : ` (${first.sid})`
  return `statement ${first?.index ?? 0}${sid} of "${policy}"`
}

export function noAllow(layers: readonly LayerVerdict[], { action, resource }: Access): string {
  const names = layers.flatMap(({ policies }) => policies.map(({ policy }) => `"${policy}"`))
  const ceiling = layers.find(({ layer }) => layer === 'ceiling')
  const where = ceiling === undefined ? '' : `${ceiling.name}: `
  if (names.length === 0) return `${where}no policy allows ${action} on ${resource}`
  return `${where}no statement of ${names.join(', ')} allows ${action} on ${resource}`
}
