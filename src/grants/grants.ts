import type { SessionPrincipal } from '../credentials/types.ts'
import type { Principal } from '../identity/index.ts'
import { explainIssue, isDeniedAtIssue } from '../policy/index.ts'
import type { NamedPolicy } from '../policy/index.ts'
import { baseOfKey, baseOfToken, type Base } from './base.ts'
import { issueQuestion, type Candidate } from './issue-question.ts'
import { chooseLifetime } from './lifetime.ts'
import { checkLimits, indexProviders, type Providers } from './options.ts'
import { readableClaims } from './readable-claims.ts'
import { chooseSessionName } from './session-name.ts'
import { readSessionPolicy } from './session-policy.ts'
import { Trace } from './trace.ts'
import type { Grant, GrantRequest, Grants, GrantsOptions, ProviderMapping } from './types.ts'

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
    return this.#conclude(
      principal,
      baseOfToken(mapping, principal, this.#options.policies, trace),
      request,
      trace,
    )
  }

  authorizeUser(principal: Principal, request: GrantRequest): Grant {
    const trace = new Trace()
    if (principal.kind === 'web-identity' || request.action !== 'sts:AssumeRole') {
      throw trace.refusal('caller', 'caller_not_allowed', 'This action is for long-lived keys')
    }
    const base = baseOfKey(principal, this.#options.users, trace)
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
  for (const { reason } of explainIssue(question).accesses) trace.refused('policy', reason)
  throw trace.refusal('denies', 'denied', `A policy denies ${request.action}`)
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

function missing(name: string): NamedPolicy {
  return { name, policy: { kind: 'broken', problem: `there is no policy "${name}"` } }
}
