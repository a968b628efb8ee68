import { matchesAction } from './action.ts'
import { prepareAsk, type Ask } from './ask.ts'
import type { CompiledStatement } from './compile.ts'
import { statementsOf } from './compiled-policy.ts'
import { holds } from './conditions.ts'
import {
  denied,
  explainCeilings,
  explainLayer,
  implicit,
  named,
  noAllow,
  policyVerdict,
  unknownAction,
  decidedBy,
} from './explain.ts'
import { issuerName } from './federated-claim.ts'
import { hasArn, type PrincipalMatcher } from './principal.ts'
import type { Access, AccessDecision, Decision, LayerVerdict, TrustQuestion } from './types.ts'

/**
 * Whether a caller may take a role, with the reasons (AWS IAM User Guide, "Policy evaluation logic", for one account).
 * A deny anywhere wins. The trust policy must name the caller: a provider, a user, a role or a session by itself, or
 * the account, and then the caller's own policies must allow the action on the role, too. Every ceiling must allow.
 * A trust policy that cannot be read, or has nothing to say, trusts nobody; root, too, has to be trusted.
 */
export function decideTrust(question: TrustQuestion): Decision {
  const accesses = question.actions.map((action) => decideAction(action, question))
  const allowed = accesses.length > 0 && accesses.every(({ outcome }) => outcome === 'allow')
  return { allowed, accesses }
}

function decideAction(action: string, question: TrustQuestion): AccessDecision {
  const { caller, facts, role } = question
  const access: Access = { action, resource: role }
  const principal = caller.kind === 'key' ? caller.principal : ({ kind: 'anonymous' } as const)
  const ask = prepareAsk(access, { facts, principal })
  if (ask === undefined) return unknownAction(access)
  const { layer, trusts } = judgeTrust(question, ask)
  const own = caller.kind === 'key' ? ownLayers(question, ask) : []
  const ceilings = explainCeilings(question, ask)
  const layers = [layer, ...own, ...ceilings]
  const denial = layers.find(({ verdict }) => verdict === 'deny')
  if (denial !== undefined) return denied(access, denial, layers)
  const low = ceilings.find(({ verdict }) => verdict !== 'allow')
  if (low !== undefined) return implicit(access, noAllow([low], access), layers)
  const trusting = trusts.direct ?? trusts.account
  if (trusting === undefined) return implicit(access, notTrusted(question, action), layers)
  if (trusts.direct === undefined && !own.some(({ verdict }) => verdict === 'allow')) {
    return implicit(access, `the account is trusted, yet ${noAllow(own, access)}`, layers)
  }
  const [policy] = layer.policies
  const by = policy === undefined ? question.trustPolicy.name : decidedBy(policy)
  return {
    ...named(access),
    outcome: 'allow',
    reason: `${by} trusts the caller with ${action}`,
    layers,
  }
}

/** Root needs no policy. The sessions of root are bound by their ceilings alone. */
function ownLayers({ identity }: TrustQuestion, ask: Ask): readonly LayerVerdict[] {
  const { kind } = ask.principal
  if (kind === 'root' || kind === 'root-session') {
    return [{ layer: 'root', name: kind, verdict: 'allow', policies: [] }]
  }
  return [explainLayer('identity', 'identity policies', identity, ask)]
}

/** The statements that allow: because they name the caller, or because they name the account. */
type Trusts = Readonly<{ direct?: CompiledStatement; account?: CompiledStatement }>

function judgeTrust(
  { trustPolicy: { name, policy }, caller }: TrustQuestion,
  ask: Ask,
): Readonly<{ layer: LayerVerdict; trusts: Trusts }> {
  const statements = statementsOf(policy, 'trust')
  if (typeof statements === 'string') {
    const broken = { policy: name, verdict: 'deny', statements: [], problem: statements } as const
    return { layer: { layer: 'trust', name, verdict: 'deny', policies: [broken] }, trusts: {} }
  }
  const matching = statements.flatMap((statement) => {
    const { actions, conditions, principal, effect } = statement
    if (!matchesAction(actions, ask)) return []
    const meant = principal && meaning(principal, caller, effect, ask)
    if (meant === undefined) return []
    return conditions.every((condition) => holds(condition, ask)) ? [{ statement, meant }] : []
  })
  const verdict = policyVerdict(
    name,
    matching.map(({ statement }) => statement),
  )
  const allows = (wanted: Meaning): CompiledStatement | undefined =>
    matching.find(({ statement, meant }) => statement.effect === 'Allow' && meant === wanted)
      ?.statement
  const [direct, account] = [allows('direct'), allows('account')]
  return {
    layer: { layer: 'trust', name, verdict: verdict.verdict, policies: [verdict] },
    trusts: { ...(direct && { direct }), ...(account && { account }) },
  }
}

type Meaning = 'direct' | 'account'

/**
 * How a statement means the caller. `"*"` allows whoever has a key here, and nobody whom only a provider vouches for:
 * that takes the provider's name. In a Deny it means all of them.
 */
function meaning(
  matcher: PrincipalMatcher,
  caller: TrustQuestion['caller'],
  effect: 'Allow' | 'Deny',
  ask: Ask,
): Meaning | undefined {
  if (caller.kind === 'federated') {
    const isMeant = isProvider(matcher, caller) || (matcher.everyone && effect === 'Deny')
    return isMeant ? 'direct' : undefined
  }
  if (matcher.everyone || hasArn(matcher, ask.principal)) return 'direct'
  return matcher.accounts.has(caller.principal.account) ? 'account' : undefined
}

/** By its name in the configuration, by its issuer with or without the scheme, or by the ARN that IAM gives it. */
function isProvider(
  { federated }: PrincipalMatcher,
  { provider, issuer }: Extract<TrustQuestion['caller'], { kind: 'federated' }>,
): boolean {
  if (federated.has(provider)) return true
  if (issuer === undefined || issuer === '') return false
  const bare = issuerName(issuer) ?? ''
  return (
    federated.has(issuer) ||
    federated.has(bare) ||
    federated.has(`arn:aws:iam::000000000000:oidc-provider/${bare}`)
  )
}

function notTrusted({ trustPolicy, role }: TrustQuestion, action: string): string {
  return `no statement of "${trustPolicy.name}" trusts the caller with ${action} on ${role}`
}
