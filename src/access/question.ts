import { parsePolicy, PolicyError } from '../policy/index.ts'
import type {
  Access,
  Ceiling,
  Facts,
  NamedPolicy,
  PolicyPrincipal,
  Question,
} from '../policy/index.ts'
import type { Directory } from '../admin/index.ts'
import type { Session } from '../credentials/index.ts'
import type { BoundedCache } from '../bounded-cache.ts'
import { header } from '../http.ts'
import type { HttpRequest } from '../http.ts'
import type { Identity } from './caller.ts'
import { account, userArn } from '../grants/index.ts'
import { identityArn, identityUserId, sessionRoleArn } from './identity-arn.ts'

/** What the configuration says of roles: their policies now, `undefined` for a role that is gone. */
export interface RoleBook {
  policiesOfRole(arn: string): readonly NamedPolicy[] | undefined
}

export type QuestionSources = Readonly<{
  directory: Pick<Directory, 'findPolicy' | 'findUser' | 'policiesOf'>
  roles: RoleBook
  /** Compiled session policies by their text. */
  sessionPolicies: BoundedCache<NamedPolicy['policy']>
}>

export type Layers = Readonly<{ identity: readonly NamedPolicy[]; ceilings: readonly Ceiling[] }>

/** The policies that bind this identity now. Looked up at each use, so that an edit or removal acts at once. */
export function layersOf(identity: Identity, sources: QuestionSources): Layers {
  switch (identity.kind) {
    case 'anonymous':
    case 'root':
      return { identity: [], ceilings: [] }
    case 'user':
      return {
        identity: sources.directory.policiesOf(identity.user) ?? [gone(`user ${identity.user}`)],
        ceilings: [],
      }
    case 'session':
      return {
        identity: boundPolicies(identity.session, sources),
        ceilings: identity.session.sessionPolicies.map((layer) => ({
          name: 'session policy',
          policies: layer.map((text) => sessionPolicy(text, sources)),
        })),
      }
  }
}

export function question(
  identity: Identity,
  layers: Layers,
  request: HttpRequest,
  accesses: readonly Access[],
): Question {
  return {
    principal: policyPrincipal(identity),
    accesses,
    facts: factsOf(identity, request),
    identity: layers.identity,
    ceilings: layers.ceilings,
  }
}

function boundPolicies(session: Session, sources: QuestionSources): readonly NamedPolicy[] {
  const { source } = session
  switch (source.kind) {
    case 'root':
      return []
    case 'user':
      return userPolicies(source.name, session, sources)
    case 'policies':
      return source.names.map(
        (name) => sources.directory.findPolicy(name) ?? gone(`policy "${name}"`, name),
      )
    case 'role':
      return sources.roles.policiesOfRole(source.arn) ?? [gone(`role ${source.arn}`)]
  }
}

/**
 * A user that was deleted and made again under the same name is another one: its past sessions stay dead, be it that both
 * happened within one second, by another process whose rule of revocation has not come yet.
 */
function userPolicies(
  name: string,
  session: Session,
  { directory }: QuestionSources,
): readonly NamedPolicy[] {
  const user = directory.findUser(name)
  const sameUser = user !== undefined && user.createdAt.getTime() <= session.issuedAt.getTime()
  return (sameUser ? directory.policiesOf(name) : undefined) ?? [gone(`user ${name}`)]
}

/** Stands where something should: denies everything in its layer and says why. */
function gone(what: string, name = what): NamedPolicy {
  return { name, policy: { kind: 'broken', problem: `${what} does not exist or is disabled` } }
}

function sessionPolicy(text: string, { sessionPolicies }: QuestionSources): NamedPolicy {
  const known = sessionPolicies.get(text)
  if (known) return { name: 'session policy', policy: known }
  const policy = parseSessionPolicy(text)
  sessionPolicies.set(text, policy)
  return { name: 'session policy', policy }
}

function parseSessionPolicy(text: string): NamedPolicy['policy'] {
  try {
    return parsePolicy(text, 'session')
  } catch (error) {
    if (error instanceof PolicyError) return { kind: 'broken', problem: error.message }
    throw error
  }
}

function policyPrincipal(identity: Identity): PolicyPrincipal {
  switch (identity.kind) {
    case 'anonymous':
      return { kind: 'anonymous' }
    case 'root':
      return { kind: 'root', account }
    case 'user':
      return { kind: 'user', account, arn: identityArn(identity) }
    case 'session': {
      if (identity.session.source.kind === 'root') return { kind: 'root-session', account }
      const { source } = identity.session
      const roleArn = sessionRoleArn(identity.session)
      return {
        kind: 'session',
        account,
        arn: identityArn(identity),
        ...(roleArn === undefined ? {} : { roleArn }),
        // What a bucket policy says of a user holds for the user's sessions too.
        ...(source.kind === 'user' ? { userArn: userArn(source.name) } : {}),
      }
    }
  }
}

/** Whoever sends them may as well send others; what stands behind this much is not worth the time to compare it. */
const longestClientFact = 1024

/** Only what code here knows; headers feed nothing but the two forgeable client facts. */
function factsOf(identity: Identity, request: HttpRequest): Facts {
  const userAgent = header(request, 'user-agent')?.slice(0, longestClientFact)
  const referer = header(request, 'referer')?.slice(0, longestClientFact)
  const client = {
    CurrentTime: request.receivedAt,
    SourceIp: request.source,
    SecureTransport: request.secure,
    ...(userAgent === undefined ? {} : { UserAgent: userAgent }),
    ...(referer === undefined ? {} : { Referer: referer }),
  }
  switch (identity.kind) {
    case 'anonymous':
      return { aws: { ...client, principaltype: 'Anonymous' } }
    case 'root':
      return {
        aws: {
          ...client,
          principaltype: 'Account',
          userid: account,
          PrincipalAccount: account,
          PrincipalArn: identityArn(identity),
        },
      }
    case 'user':
      return {
        aws: {
          ...client,
          principaltype: 'User',
          username: identity.user,
          userid: identityUserId(identity),
          PrincipalAccount: account,
          PrincipalArn: identityArn(identity),
        },
      }
    case 'session':
      return sessionFacts(identity, client)
  }
}

function sessionFacts(
  identity: Extract<Identity, { kind: 'session' }>,
  client: Pick<Facts['aws'], 'CurrentTime'>,
): Facts {
  const { session } = identity
  const { principal } = session
  return {
    aws: {
      ...client,
      principaltype: session.source.kind === 'root' ? 'Account' : 'AssumedRole',
      // As with MinIO, the sessions of a user keep the user's name, so that `${aws:username}` means the same in both.
      ...(principal.kind === 'user' ? { username: principal.subject } : {}),
      userid: identityUserId(identity),
      PrincipalAccount: account,
      PrincipalArn: identityArn(identity),
      ...(principal.groups.length > 0 ? { groups: principal.groups } : {}),
      TokenIssueTime: session.issuedAt,
      ...(principal.kind === 'web-identity' ? { FederatedProvider: principal.issuer } : {}),
    },
    principalTags: session.tags,
    sts: {
      RoleSessionName: session.sessionName,
      ...(session.sourceIdentity === undefined ? {} : { SourceIdentity: session.sourceIdentity }),
    },
    ...(principal.kind === 'web-identity' ? { jwt: principal.claims } : {}),
  }
}
