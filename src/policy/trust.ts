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
import type {
  Access,
  AccessDecision,
  BrokenPolicy,
  Decision,
  LayerVerdict,
  Policy,
  TrustQuestion,
} from './types.ts'

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
    const isMeant =
      effect === 'Allow'
        ? isProvider(matcher, caller)
        : isProvider(matcher, caller) || isOfIssuer(matcher, caller) || matcher.everyone
    return isMeant ? 'direct' : undefined
  }
  if (matcher.everyone || hasArn(matcher, ask.principal)) return 'direct'
  return matcher.accounts.has(caller.principal.account) ? 'account' : undefined
}

type FederatedCaller = Extract<TrustQuestion['caller'], { kind: 'federated' }>

/**
 * By its name in the configuration, or by its issuer with or without the scheme. One that was made through the IAM API: by
 * its ARN and by nothing else. So the people of one never pass for those of another with the same issuer, whose audiences
 * are others, and an ARN whose provider was deleted means nobody.
 */
function isProvider(
  { federated }: PrincipalMatcher,
  { provider, issuer, registered }: FederatedCaller,
): boolean {
  if (federated.has(provider)) return true
  if (registered === true || issuer === undefined || issuer === '') return false
  return federated.has(issuer) || federated.has(issuerName(issuer) ?? '')
}

/** A Deny means everybody whom the issuer vouches for, whoever judged the token and however the issuer is spelt. */
function isOfIssuer({ federated }: PrincipalMatcher, { issuer }: FederatedCaller): boolean {
  if (issuer === undefined || issuer === '') return false
  const bare = issuerName(issuer) ?? ''
  return [issuer, bare, providerArn(bare)].some((name) => federated.has(name))
}

function providerArn(bare: string): string {
  return `arn:aws:iam::000000000000:oidc-provider/${bare.replace(/\/$/, '')}`
}

/** The providers that some statement of a trust policy lets in, as they are named there. */
export function trustedProviders(policy: Policy | BrokenPolicy): readonly string[] {
  const statements = statementsOf(policy, 'trust')
  if (typeof statements === 'string') return []
  const allowing = statements.filter(({ effect }) => effect === 'Allow')
  return [...new Set(allowing.flatMap(({ principal }) => [...(principal?.federated ?? [])]))]
}

function notTrusted({ trustPolicy, role, caller }: TrustQuestion, action: string): string {
  const sentence = `no statement of "${trustPolicy.name}" trusts the caller with ${action} on ${role}`
  if (caller.kind !== 'federated' || caller.registered === true) return sentence
  const arn = providerArn(issuerName(caller.issuer) ?? '')
  if (!trustedProviders(trustPolicy.policy).includes(arn)) return sentence
  return (
    `${sentence}; ${arn} means the provider of the IAM API, and the token was judged by ` +
    `"${caller.provider}" of the configuration: its audience is not one of the client ids there`
  )
}
