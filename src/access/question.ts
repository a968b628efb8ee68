import type { Access, Facts, NamedPolicy, PolicyPrincipal, Question } from '../policy/index.ts'
import {
  account,
  bindingOfAnonymous,
  bindingOfSession,
  bindingOfUser,
  knownTo,
  rootFacts,
  sessionFacts,
  sessionPolicyPrincipal,
  userFacts,
} from '../grants/index.ts'
import type { Binding, BindingSources, IdentityFacts } from '../grants/index.ts'
import { header } from '../http.ts'
import type { HttpRequest } from '../http.ts'
import type { Identity } from './caller.ts'
import { identityArn } from './identity-arn.ts'

/** What the configuration says of providers' roles: their policies now, `undefined` for a role that is gone. */
export interface RoleBook {
  policiesOfRole(arn: string): readonly NamedPolicy[] | undefined
}

const unbound: Binding = { identity: [], ceilings: [], tags: new Map() }

/** What binds this identity now. Looked up at each use, so that an edit or removal acts at once. */
export function bindingOf(identity: Identity, sources: BindingSources): Binding {
  switch (identity.kind) {
    case 'anonymous':
      return bindingOfAnonymous(sources)
    case 'root':
      return unbound
    case 'user':
      return narrowed(bindingOfUser(identity.user, sources), identity.limits?.policy)
    case 'session':
      return bindingOfSession(identity.session, sources)
  }
}

/** What a key has of its own only takes away. */
function narrowed(binding: Binding, policy: NamedPolicy | undefined): Binding {
  if (policy === undefined) return binding
  const ceiling = { name: policy.name, policies: [policy] }
  return { ...binding, ceilings: [...binding.ceilings, ceiling] }
}

export function question(
  identity: Identity,
  binding: Binding,
  request: HttpRequest,
  accesses: readonly Access[],
): Question {
  return {
    principal: policyPrincipal(identity),
    accesses:
      identity.kind === 'session' ? accesses.map((access) => known(identity, access)) : accesses,
    facts: factsOf(identity, binding, request),
    identity: binding.identity,
    ceilings: binding.ceilings,
  }
}

function known({ session }: Extract<Identity, { kind: 'session' }>, access: Access): Access {
  if (access.bucketPolicy === undefined) return access
  const bucketPolicy = knownTo(session.principal, access.bucketPolicy)
  return bucketPolicy === access.bucketPolicy ? access : { ...access, bucketPolicy }
}

function policyPrincipal(identity: Identity): PolicyPrincipal {
  switch (identity.kind) {
    case 'anonymous':
      return { kind: 'anonymous' }
    case 'root':
      return { kind: 'root', account }
    case 'user':
      return { kind: 'user', account, arn: identityArn(identity) }
    case 'session':
      return sessionPolicyPrincipal(identity.session)
  }
}

/** Whoever sends them may as well send others; what stands behind this much is not worth the time to compare it. */
const longestClientFact = 1024

/** Only what code here knows; headers feed nothing but the two forgeable client facts. */
function factsOf(identity: Identity, { tags }: Binding, request: HttpRequest): Facts {
  const userAgent = header(request, 'user-agent')?.slice(0, longestClientFact)
  const referer = header(request, 'referer')?.slice(0, longestClientFact)
  const who = identityFacts(identity, tags)
  return {
    ...who,
    aws: {
      CurrentTime: request.receivedAt,
      SourceIp: request.source,
      SecureTransport: request.secure,
      ...(userAgent === undefined ? {} : { UserAgent: userAgent }),
      ...(referer === undefined ? {} : { Referer: referer }),
      ...who.aws,
    },
  }
}

function identityFacts(identity: Identity, tags: ReadonlyMap<string, string>): IdentityFacts {
  switch (identity.kind) {
    case 'anonymous':
      return { aws: { principaltype: 'Anonymous' } }
    case 'root':
      return rootFacts
    case 'user':
      return userFacts(identity.user, tags)
    case 'session':
      return sessionFacts(identity.session, tags)
  }
}
