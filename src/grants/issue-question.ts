import type { PolicySource, SessionPrincipal } from '../credentials/types.ts'
import type { AwsFacts, Facts, NamedPolicy, PolicyPrincipal, Question } from '../policy/index.ts'
import type { Lifetime } from './lifetime.ts'
import { account, rootArn, sessionArn, sessionUserId, userArn } from './session-identity.ts'
import type { GrantRequest } from './types.ts'

export type Candidate = Readonly<{
  principal: SessionPrincipal
  source: PolicySource
  sessionName: string
  policies: readonly NamedPolicy[]
  lifetime: Lifetime
}>

/**
 * "Does any statement deny that these credentials are issued?" The duration in it is the one really given, so that
 * a Deny on `sts:DurationSeconds` cannot be slipped by leaving the parameter out.
 */
export function issueQuestion(candidate: Candidate, request: GrantRequest): Question {
  const { source, policies } = candidate
  const resource = source.kind === 'role' ? source.arn : '*'
  return {
    principal: policyPrincipal(candidate),
    accesses: [{ action: request.action, resource }],
    facts: facts(candidate, request),
    identity: policies,
    ceilings: [],
  }
}

function policyPrincipal(candidate: Candidate): PolicyPrincipal {
  const { source } = candidate
  if (source.kind === 'root') return { kind: 'root', account }
  if (source.kind === 'user') return { kind: 'user', account, arn: userArn(source.name) }
  const session = { kind: 'session', account, arn: sessionArn(candidate) } as const
  return source.kind === 'role' ? { ...session, roleArn: source.arn } : session
}

function facts(candidate: Candidate, request: GrantRequest): Facts {
  const { lifetime, principal, sessionName } = candidate
  const { client } = request
  return {
    aws: {
      CurrentTime: lifetime.issuedAt,
      SourceIp: client.source,
      SecureTransport: client.secure,
      ...(client.userAgent !== undefined && { UserAgent: client.userAgent }),
      ...callerFacts(candidate),
    },
    sts: { RoleSessionName: sessionName, DurationSeconds: lifetime.durationSeconds },
    ...(principal.kind === 'web-identity' && { jwt: principal.claims }),
  }
}

/** Of the caller: the owner of the key, or the session that is about to be. */
function callerFacts(candidate: Candidate): Omit<AwsFacts, 'CurrentTime'> {
  const { principal, source, lifetime } = candidate
  if (source.kind === 'root') return named('Account', account, rootArn)
  if (source.kind === 'user') {
    return { ...named('User', source.name, userArn(source.name)), username: source.name }
  }
  return {
    ...named('AssumedRole', sessionUserId(candidate), sessionArn(candidate)),
    ...(principal.groups.length > 0 && { groups: principal.groups }),
    FederatedProvider: principal.issuer,
    TokenIssueTime: lifetime.issuedAt,
  }
}

function named(principaltype: 'Account' | 'User' | 'AssumedRole', userid: string, arn: string) {
  return { principaltype, userid, PrincipalArn: arn, PrincipalAccount: account }
}
