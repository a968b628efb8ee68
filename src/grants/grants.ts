import type { PolicySource, SessionPrincipal } from '../credentials/types.ts'
import type { Principal } from '../identity/index.ts'
import { explainIssue, isDeniedAtIssue } from '../policy/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import { issueQuestion, type Candidate } from './issue-question.ts'
import { chooseLifetime } from './lifetime.ts'
import { checkLimits, indexProviders, type Providers } from './options.ts'
import { claimLabel, readPolicyClaim } from './policy-claim.ts'
import { readableClaims } from './readable-claims.ts'
import { chooseSessionName } from './session-name.ts'
import { readSessionPolicy } from './session-policy.ts'
import { Trace } from './trace.ts'
import type { Grant, GrantRequest, Grants, GrantsOptions, ProviderMapping } from './types.ts'

type Role = Extract<ProviderMapping, { kind: 'role' }>
type Claim = Extract<ProviderMapping, { kind: 'claim' }>
type Base = Readonly<{ source: PolicySource; policies: readonly NamedPolicy[] }>

export function createGrants(options: GrantsOptions): Grants {
  checkLimits(options.limits)
  return new Desk(options, indexProviders(options.providers))
}

class Desk implements Grants {
  readonly #options: GrantsOptions
  readonly #providers: Providers

  constructor(options: GrantsOptions, providers: Providers) {
    this.#options = options
    this.#providers = providers
  }

  authorizeWebIdentity(principal: Principal, request: GrantRequest): Grant {
    const trace = new Trace()
    if (principal.kind !== 'web-identity' || request.action === 'sts:AssumeRole') {
      throw trace.refusal('caller', 'caller_not_allowed', 'This action is for identity tokens')
    }
    const proofEnds = principal.expiresAt
    if (proofEnds === undefined) {
      throw trace.refusal('token', 'expired', 'The token does not say when it ends')
    }
    trace.ok('token', `${principal.issuer} vouches for ${principal.subject}`)
    const mapping = this.#mappingOf(principal, request, trace)
    return this.#conclude(principal, this.#baseOf(mapping, principal, trace), request, trace)
  }

  authorizeUser(principal: Principal, request: GrantRequest): Grant {
    const trace = new Trace()
    if (principal.kind === 'web-identity' || request.action !== 'sts:AssumeRole') {
      throw trace.refusal('caller', 'caller_not_allowed', 'This action is for long-lived keys')
    }
    const base = this.#baseOfKey(principal, trace)
    return this.#conclude(principal, base, request, trace)
  }

  chooseProvider(roleArn: string | undefined): string | undefined {
    if (roleArn === undefined || roleArn === '') return undefined
    const provider = this.findProviderByRoleArn(roleArn)
    if (provider === undefined && !this.#providers.hasClaimBased) throw unknownRole(new Trace())
    return provider
  }

  findProviderByRoleArn(roleArn: string): string | undefined {
    return this.#providers.byRoleArn.get(roleArn)?.provider
  }

  policiesOfRole(roleArn: string): readonly NamedPolicy[] | undefined {
    const role = this.#providers.byRoleArn.get(roleArn)
    return role?.policies.map((name) => this.#options.policies.find(name) ?? missing(name))
  }

  /** A provider with a role is entered by its role ARN only, and only by principals that it vouched for itself. */
  #mappingOf(principal: Principal, request: GrantRequest, trace: Trace): ProviderMapping {
    const mapping = this.#providers.byName.get(principal.provider)
    if (mapping === undefined) throw unknownRole(trace)
    const role = this.#providers.byRoleArn.get(request.roleArn ?? '')
    if (role === undefined && mapping.kind === 'role') throw unknownRole(trace)
    if (role !== undefined && role !== mapping) throw unknownRole(trace)
    if (request.roleArn && role === undefined) {
      trace.ok('role', 'The role ARN names no role here; the policy claim of the token counts')
    }
    return mapping
  }

  #baseOf(mapping: ProviderMapping, principal: Principal, trace: Trace): Base {
    return mapping.kind === 'role'
      ? this.#baseOfRole(mapping, trace)
      : this.#baseOfClaim(mapping, principal, trace)
  }

  /** A name that does not exist may have been meant to deny something: then nobody takes the role. */
  #baseOfRole(role: Role, trace: Trace): Base {
    const policies = this.#existing(role.policies)
    const gone = without(role.policies, policies)
    if (gone.length > 0 || policies.length === 0) {
      const what = gone.length === 0 ? 'no policy' : `${listed(gone)}, which does not exist`
      const message = `The role of provider "${role.provider}" has ${what}`
      throw trace.refusal('mapping', 'no_policy', message)
    }
    trace.ok('mapping', `The role of provider "${role.provider}" has ${listed(role.policies)}`)
    return { source: { kind: 'role', arn: role.roleArn, name: role.provider }, policies }
  }

  /** Names that do not exist are passed over: a claim of groups names much that is no policy. */
  #baseOfClaim(mapping: Claim, principal: Principal, trace: Trace): Base {
    const claim = `The claim "${claimLabel(mapping)}" of the token`
    const names = readPolicyClaim(principal.claims, mapping)
    const policies = this.#existing(names)
    if (policies.length === 0) {
      const why = names.length === 0 ? 'is absent or empty' : `names ${listed(names)}; none exists`
      throw trace.refusal('mapping', 'no_policy', `${claim} ${why}`)
    }
    const found = policies.map(({ name }) => name)
    const gone = without(names, policies)
    const rest = gone.length === 0 ? '' : `; ${listed(gone)} is no policy here`
    trace.ok('mapping', `${claim} names ${listed(found)}${rest}`)
    return { source: { kind: 'policies', names: found }, policies }
  }

  #baseOfKey(principal: Principal, trace: Trace): Base {
    if (principal.kind === 'root') {
      trace.ok('caller', 'The root key: everything that the session policy does not take away')
      return { source: { kind: 'root' }, policies: [] }
    }
    const policies = this.#options.users.policiesOf(principal.subject)
    if (policies === undefined) {
      throw trace.refusal('caller', 'caller_not_allowed', 'The user is disabled or gone')
    }
    trace.ok('caller', `User "${principal.subject}": ${listed(policies.map(({ name }) => name))}`)
    return { source: { kind: 'user', name: principal.subject }, policies }
  }

  #existing(names: readonly string[]): readonly NamedPolicy[] {
    return names.flatMap((name) => this.#options.policies.find(name) ?? [])
  }

  #conclude(principal: Principal, base: Base, request: GrantRequest, trace: Trace): Grant {
    const { limits, tenant, clock } = this.#options
    const sessionName = chooseSessionName(request.roleSessionName, principal.subject, trace)
    const { sessionPolicy, durationSeconds } = request
    const sessionPolicies = readSessionPolicy(sessionPolicy, limits.maxSessionPolicyBytes, trace)
    const now = clock()
    const lifetime = chooseLifetime(durationSeconds, principal.expiresAt, limits, now, trace)
    const who = storable(principal)
    refuseIfDenied({ principal: who, sessionName, lifetime, ...base }, request, trace)
    return mint({
      principal: who,
      tenant,
      source: base.source,
      sessionName,
      sessionPolicies,
      tags: new Map(),
      issuedAt: lifetime.issuedAt,
      expiresAt: lifetime.expiresAt,
      lineage: principal.jti === undefined ? {} : { jti: principal.jti },
      trace: trace.steps,
    })
  }
}

type Fields = { [K in keyof Grant as K extends string ? K : never]: Grant[K] }

function mint(fields: Fields): Grant {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where a Grant is made
  return fields as Grant
}

function refuseIfDenied(candidate: Candidate, request: GrantRequest, trace: Trace): void {
  const question = issueQuestion(candidate, request)
  if (!isDeniedAtIssue(question)) {
    trace.ok('denies', `No statement denies ${request.action}`)
    return
  }
  const reason = explainIssue(question).accesses.map((access) => access.reason)
  throw trace.refusal('denies', 'denied', `A policy denies ${request.action}`, {
    detail: { reason },
  })
}

function storable(principal: Principal): SessionPrincipal {
  const { kind, provider, issuer, subject, displayName, groups } = principal
  const claims = readableClaims(principal.claims)
  return { kind, provider, issuer, subject, displayName, groups, claims }
}

function unknownRole(trace: Trace) {
  return trace.refusal('role', 'unknown_role', 'RoleArn names no role that this token can take', {
    detail: { parameter: 'RoleArn' },
  })
}

function without(names: readonly string[], policies: readonly NamedPolicy[]): readonly string[] {
  const found = new Set(policies.map(({ name }) => name))
  return names.filter((name) => !found.has(name))
}

function missing(name: string): NamedPolicy {
  return { name, policy: { kind: 'broken', problem: `there is no policy "${name}"` } }
}

/** Names for a message: quoted, and few enough to read. They may come from a token. */
function listed(names: readonly string[]): string {
  if (names.length === 0) return 'no policy'
  const shown = names.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 64)))
  return shown.join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')
}
