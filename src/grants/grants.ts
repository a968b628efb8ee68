import { BoundedCache } from '../bounded-cache.ts'
import type { Session } from '../credentials/types.ts'
import type { Evidence, Principal } from '../identity/index.ts'
import {
  explain,
  explainIssue,
  isAllowed,
  isDeniedAtIssue,
  trustedProviders,
} from '../policy/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import { federatedApplicant, keyApplicant, sessionApplicant, type Applicant } from './applicant.ts'
import {
  baseOfKey,
  baseOfLdap,
  baseOfProviderRole,
  baseOfRule,
  baseOfToken,
  type Base,
} from './base.ts'
import {
  bindingOfSession,
  bindingOfUser,
  tenantCeilings,
  type Binding,
  type BindingSources,
} from './bindings.ts'
import { demandClaimsReadBy } from './claims-elsewhere.ts'
import type { Draft } from './draft.ts'
import type { GrantError } from './grant-error.ts'
import { issueQuestion } from './issue-question.ts'
import { chooseLifetime, type Lifetime } from './lifetime.ts'
import { lifetimeRules } from './lifetime-rules.ts'
import { mintGrant } from './mint-grant.ts'
import { checkLimits, indexProviders, type FixedRole, type Providers } from './options.ts'
import { baseOfRole, demandTrust, findRole } from './role.ts'
import { chooseSessionName } from './session-name.ts'
import { emptyLayer, noLayers, readSessionLayers, stackLayers } from './session-policy.ts'
import type { SessionLayers } from './session-policy.ts'
import { addTags, noTags, readTags, readTokenTags, type SessionTags } from './session-tags.ts'
import { chooseSourceIdentity, tokenSourceIdentity } from './source-identity.ts'
import { Trace } from './trace.ts'
import type {
  Grant,
  GrantRequest,
  GrantRole,
  Grants,
  GrantsOptions,
  IssueAction,
  ProviderMapping,
} from './types.ts'

export function createGrants(options: GrantsOptions): Grants {
  checkLimits(options.limits)
  return new Desk(options, indexProviders(options.providers))
}

type TokenMapping = Exclude<ProviderMapping, { kind: 'plugin' }>

class Desk implements Grants {
  readonly #options: GrantsOptions
  readonly #providers: Providers
  readonly #sources: BindingSources

  constructor(options: GrantsOptions, providers: Providers) {
    this.#options = options
    this.#providers = providers
    const { directory, tenantCeiling } = options
    const sessionPolicies = new BoundedCache<NamedPolicy['policy']>(1000)
    this.#sources = { directory, roles: this, tenantCeiling, sessionPolicies }
  }

  addressed(evidence: Evidence, roleArn: string | undefined): Evidence {
    if (evidence.kind === 'custom-token') {
      return { ...evidence, roleArn: this.choosePlugin(evidence.roleArn) }
    }
    if (evidence.kind !== 'web-identity') return evidence
    // A role of the directory trusts providers of any kind, and says so itself.
    const trusted = this.providersTrustedBy(roleArn)
    if (trusted !== undefined) return { ...evidence, trustedProviders: trusted }
    const provider = this.chooseProvider(roleArn)
    return provider === undefined ? evidence : { ...evidence, provider }
  }

  authorize(principal: Principal, request: GrantRequest): Grant {
    switch (principal.kind) {
      case 'root':
      case 'user':
        return this.authorizeUser(principal, request)
      case 'web-identity':
        return this.authorizeWebIdentity(principal, request)
      case 'ldap':
        return this.authorizeLdap(principal, request)
      case 'certificate':
        return this.authorizeCertificate(principal, request)
      case 'custom-token':
        return this.authorizeCustomToken(principal, request)
      case 'service-account': {
        const message = 'Service accounts get credentials from the operator of their cluster'
        throw new Trace().refusal('caller', 'caller_not_allowed', message)
      }
    }
    return principal.kind satisfies never
  }

  authorizeWebIdentity(principal: Principal, request: GrantRequest): Grant {
    const trace = new Trace()
    demandKind(principal, ['web-identity'], request, tokenActions, trace)
    demandEnd(principal, trace)
    trace.ok('token', `${principal.issuer} vouches for ${principal.subject}`)
    const base =
      this.#roleBase(request, trace) ??
      baseOfToken(
        this.#mappingOf(principal, request, trace),
        principal,
        this.#options.directory,
        trace,
      )
    return this.#conclude(federatedApplicant(principal), base, request, trace)
  }

  authorizeUser(principal: Principal, request: GrantRequest): Grant {
    const trace = new Trace()
    demandKind(principal, ['root', 'user'], request, keyActions, trace)
    const binding = this.#bindingOfKey(principal, trace)
    const base = this.#roleBase(request, trace) ?? baseOfKey(principal, binding, trace)
    return this.#conclude(keyApplicant(principal, binding), base, request, trace)
  }

  authorizeSession(session: Session, request: GrantRequest): Grant {
    const trace = new Trace()
    const refuse = (message: string) => trace.refusal('caller', 'caller_not_allowed', message)
    if (request.action !== 'sts:AssumeRole') {
      throw refuse('Temporary credentials take roles, and nothing else')
    }
    if (session.way === 'federation') {
      throw refuse('The credentials of GetFederationToken take no role')
    }
    trace.ok('caller', `A session of ${session.principal.subject}, ${session.accessKeyId}`)
    const base = this.#roleBase(request, trace)
    if (base === undefined) {
      throw refuse('Temporary credentials take a role of this house: RoleArn names none')
    }
    const binding = bindingOfSession(session, this.#sources)
    return this.#conclude(sessionApplicant(session, binding), base, request, trace)
  }

  authorizeLdap(principal: Principal, request: GrantRequest): Grant {
    const trace = new Trace()
    demandKind(principal, ['ldap'], request, ['sts:AssumeRoleWithLDAPIdentity'], trace)
    trace.ok('login', `Directory "${principal.provider}" vouches for ${principal.subject}`)
    const base =
      this.#roleBase(request, trace) ?? baseOfLdap(principal, this.#options.directory, trace)
    return this.#conclude(federatedApplicant(principal), base, request, trace)
  }

  authorizeCertificate(principal: Principal, request: GrantRequest): Grant {
    const trace = new Trace()
    demandKind(principal, ['certificate'], request, ['sts:AssumeRoleWithCertificate'], trace)
    demandEnd(principal, trace)
    trace.ok('certificate', `Issued by ${principal.issuer} to ${principal.subject}`)
    const base = this.#roleBase(request, trace) ?? this.#ruleBase(principal, request, trace)
    return this.#conclude(federatedApplicant(principal), base, request, trace)
  }

  authorizeCustomToken(principal: Principal, request: GrantRequest): Grant {
    const trace = new Trace()
    demandKind(principal, ['custom-token'], request, ['sts:AssumeRoleWithCustomToken'], trace)
    demandEnd(principal, trace)
    trace.ok('token', `Plugin "${principal.provider}" vouches for ${principal.subject}`)
    const base = this.#roleBase(request, trace) ?? this.#pluginBase(principal, request, trace)
    return this.#conclude(federatedApplicant(principal), base, request, trace)
  }

  namesRole(roleArn: string | undefined): boolean {
    return findRole(roleArn, this.#options.directory) !== undefined
  }

  providersTrustedBy(roleArn: string | undefined): readonly string[] | undefined {
    const role = findRole(roleArn, this.#options.directory)
    return role && trustedProviders(role.trustPolicy)
  }

  chooseProvider(roleArn: string | undefined): string | undefined {
    if (roleArn === undefined || roleArn === '' || this.namesRole(roleArn)) return undefined
    const provider = this.findProviderByRoleArn(roleArn)
    if (provider === undefined && !this.#providers.hasClaimBased) throw unknownRole(new Trace())
    return provider
  }

  choosePlugin(roleArn: string): string {
    const { plugins, byRoleArn } = this.#providers
    if (byRoleArn.get(roleArn)?.kind === 'plugin' || plugins.length === 0) return roleArn
    const [plugin, ...more] = plugins
    if (plugin !== undefined && more.length === 0 && this.namesRole(roleArn)) return plugin.roleArn
    throw unknownRole(new Trace())
  }

  findProviderByRoleArn(roleArn: string): string | undefined {
    const role = this.#providers.byRoleArn.get(roleArn)
    return role?.kind === 'role' ? role.provider : undefined
  }

  policiesOfRole(roleArn: string): readonly NamedPolicy[] | undefined {
    const role = this.#providers.byRoleArn.get(roleArn)
    return role?.policies.map((name) => this.#options.directory.findPolicy(name) ?? missing(name))
  }

  #bindingOfKey(principal: Principal, trace: Trace): Binding {
    if (principal.kind === 'root') return { identity: [], ceilings: [], tags: new Map() }
    if (this.#options.directory.policiesOf(principal.subject) === undefined) {
      throw trace.refusal('caller', 'caller_not_allowed', 'The user is disabled or gone')
    }
    return bindingOfUser(principal.subject, this.#sources)
  }

  /** An ARN that names a role of the directory means that role and nothing else, whoever asks. */
  #roleBase(request: GrantRequest, trace: Trace): Base | undefined {
    const { roleArn, action } = request
    if (action === 'sts:GetSessionToken' || action === 'sts:GetFederationToken') return undefined
    const { directory } = this.#options
    const role = findRole(roleArn, directory)
    return role && baseOfRole(role, request, directory, trace)
  }

  #ruleBase(principal: Principal, request: GrantRequest, trace: Trace): Base {
    const { certificates, directory } = this.#options
    const mapping = certificates?.mappingOf(principal)
    if (mapping === undefined) {
      throw trace.refusal('mapping', 'no_policy', 'No rule gives anything to the certificate')
    }
    if (mapping.kind === 'policies') return baseOfRule(mapping.policies, directory, trace)
    const role = directory.findRole(mapping.role)
    if (role !== undefined) return baseOfRole(role, request, directory, trace)
    const message = 'The rule for the certificate names a role that does not exist'
    throw trace.refusal('mapping', 'no_policy', message)
  }

  #pluginBase(principal: Principal, { roleArn }: GrantRequest, trace: Trace): Base {
    const plugin: FixedRole | undefined = this.#providers.byRoleArn.get(roleArn ?? '')
    if (plugin?.kind !== 'plugin' || plugin.provider !== principal.provider) {
      throw unknownRole(trace)
    }
    return baseOfProviderRole(plugin, this.#options.directory, trace)
  }

  /** A provider with a role is entered by its role ARN only, and only by principals that it vouched for itself. */
  #mappingOf(principal: Principal, request: GrantRequest, trace: Trace): TokenMapping {
    const mapping = this.#providers.byName.get(principal.provider)
    if (mapping === undefined || mapping.kind === 'plugin') throw unknownRole(trace)
    const role = this.#providers.byRoleArn.get(request.roleArn ?? '')
    if (role === undefined && mapping.kind === 'role') throw unknownRole(trace)
    if (role !== undefined && role !== mapping) throw unknownRole(trace)
    if (request.roleArn && role === undefined) {
      trace.ok('role', 'The role ARN names no role here; the policy claim of the token counts')
    }
    return mapping
  }

  #conclude(applicant: Applicant, base: Base, request: GrantRequest, trace: Trace): Grant {
    const { principal, heritage } = applicant
    const sessionName = chooseSessionName(request.roleSessionName, principal.subject, trace)
    const layers = this.#layersOf(applicant, request, trace)
    const draft: Draft = {
      applicant,
      base,
      request,
      sessionName,
      tags: tagsOf(applicant, base.role, request, trace),
      sourceIdentity: sourceIdentityOf(applicant, base.role, request, trace),
      lifetime: this.#lifetimeOf(applicant, base.role, request, trace),
      tenantCeilings: tenantCeilings(this.#sources),
    }
    demandClaimsReadBy(deciding(draft), principal, trace)
    if (base.role === undefined) demandRights(draft, trace)
    else demandTrust(base.role, draft, trace)
    refuseIfDenied(draft, trace)
    const { lifetime, tags, sourceIdentity } = draft
    const way = wayOf(request.action)
    return mintGrant({
      principal,
      tenant: this.#options.tenant,
      source: base.source,
      sessionName,
      sessionPolicies: layers.documents,
      sessionPolicyNames: layers.names,
      tags: tags.tags,
      transitiveTagKeys: tags.transitiveKeys,
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      ...(way && { way }),
      issuedAt: lifetime.issuedAt,
      expiresAt: lifetime.expiresAt,
      lineage: heritage.lineage,
      trace: trace.steps,
    })
  }

  /** What narrowed the session that asks stays below what is asked for now. */
  #layersOf({ heritage }: Applicant, request: GrantRequest, trace: Trace): SessionLayers {
    const { limits, directory } = this.#options
    const ground = { maxBytes: limits.maxSessionPolicyBytes, policies: directory, trace }
    const asked = readSessionLayers(request, ground)
    if (request.action === 'sts:GetFederationToken' && asked === noLayers) {
      trace.ok('session policy', 'None was sent, so the federated user may do nothing')
      return emptyLayer
    }
    return stackLayers(heritage.layers, asked)
  }

  #lifetimeOf(
    { principal, proofEnds, heritage }: Applicant,
    role: GrantRole | undefined,
    { action, durationSeconds }: GrantRequest,
    trace: Trace,
  ): Lifetime {
    const { limits, clock } = this.#options
    const now = clock()
    const rules = lifetimeRules(
      { action, role, isRoot: principal.kind === 'root', parentEnds: heritage.expiresAt },
      limits,
      now,
    )
    return chooseLifetime(durationSeconds, proofEnds, rules, now, trace)
  }
}

const tokenActions: readonly IssueAction[] = [
  'sts:AssumeRoleWithWebIdentity',
  'sts:AssumeRoleWithClientGrants',
]
const keyActions: readonly IssueAction[] = [
  'sts:AssumeRole',
  'sts:GetSessionToken',
  'sts:GetFederationToken',
]

/** Each proof has its own way in, and no other one. */
function demandKind(
  { kind }: Principal,
  kinds: readonly Principal['kind'][],
  { action }: GrantRequest,
  actions: readonly IssueAction[],
  trace: Trace,
): void {
  if (kinds.includes(kind) && actions.includes(action)) return
  throw trace.refusal('caller', 'caller_not_allowed', `${action} is not for this kind of caller`)
}

function demandEnd({ expiresAt }: Principal, trace: Trace): void {
  if (expiresAt !== undefined) return
  throw trace.refusal('token', 'expired', 'The proof does not say when it ends')
}

/** Tags change what policies mean by `aws:PrincipalTag`: those of a token count where a trust policy can judge them. */
function tagsOf(
  { claims, heritage }: Applicant,
  role: GrantRole | undefined,
  { tags = [], transitiveTagKeys = [] }: GrantRequest,
  trace: Trace,
): SessionTags {
  const asked = readTags(tags, transitiveTagKeys, trace)
  const offered = (role && readTokenTags(claims, trace)) ?? noTags
  return addTags(addTags(heritage.tags, offered, trace), asked, trace)
}

function sourceIdentityOf(
  { claims, heritage }: Applicant,
  role: GrantRole | undefined,
  { sourceIdentity }: GrantRequest,
  trace: Trace,
): string | undefined {
  const offered = role && tokenSourceIdentity(claims)
  const inherited = chooseSourceIdentity(offered, heritage.sourceIdentity, trace)
  return chooseSourceIdentity(sourceIdentity, inherited, trace)
}

/** Every policy that has a say in what the session may do, and whether there is one. */
function deciding({ base, tenantCeilings: tenant }: Draft): readonly NamedPolicy[] {
  const { policies, ceilings, role } = base
  const trust = role ? [{ name: `trust policy of ${role.name}`, policy: role.trustPolicy }] : []
  return [...policies, ...[...ceilings, ...tenant].flatMap((ceiling) => ceiling.policies), ...trust]
}

/** What needs an Allow although no role is taken: else anybody could give itself the tags that policies go by. */
function demandRights(draft: Draft, trace: Trace): void {
  const { request, tags, sourceIdentity } = draft
  const actions = [
    ...(request.action === 'sts:GetFederationToken' ? [request.action] : []),
    ...(tags.tags.size > 0 ? ['sts:TagSession'] : []),
    ...(sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
  ]
  const question = issueQuestion(draft, actions)
  if (actions.length === 0 || isAllowed(question)) return
  const missing = explain(question).accesses.filter(({ outcome }) => outcome !== 'allow')
  for (const { reason } of missing) trace.refused('policy', reason)
  throw trace.refusal('rights', 'denied', `Not authorized to perform ${missing[0]?.action}`)
}

function refuseIfDenied(draft: Draft, trace: Trace): void {
  const { action } = draft.request
  const question = issueQuestion(draft, [action])
  if (!isDeniedAtIssue(question)) {
    trace.ok('denies', `No statement denies ${action}`)
    return
  }
  for (const { reason } of explainIssue(question).accesses) trace.refused('policy', reason)
  throw trace.refusal('denies', 'denied', `A policy denies ${action}`)
}

function wayOf(action: IssueAction): Grant['way'] {
  if (action === 'sts:GetSessionToken') return 'session-token'
  return action === 'sts:GetFederationToken' ? 'federation' : undefined
}

function unknownRole(trace: Trace): GrantError {
  return trace.refusal('role', 'unknown_role', 'RoleArn names no role that this caller can take', {
    detail: { parameter: 'RoleArn' },
  })
}

function missing(name: string): NamedPolicy {
  return { name, policy: { kind: 'broken', problem: `there is no policy "${name}"` } }
}
