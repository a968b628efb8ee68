import type { TraceStep } from '../grants/index.ts'
import type { Decision } from '../policy/index.ts'
import type { Identity } from './caller.ts'
import { identityArn } from './identity-arn.ts'

/** What a denial's encoded message holds, for the eyes of an administrator. JSON; never a secret. */
export type DenialTrace = Readonly<{
  decisionId: string
  /** ISO 8601. */
  at: string
  requestId: string
  source: string
  principal: Readonly<{ kind: string; arn?: string; accessKeyId?: string; subject?: string }>
  /** The steps before the policies: which key or token, whose, mapped to what. */
  steps: readonly TraceStep[]
  decision: Decision
}>

export function identityTrace(identity: Identity): readonly TraceStep[] {
  switch (identity.kind) {
    case 'anonymous':
      return [ok('token check', 'the request is not signed: an anonymous caller')]
    case 'root':
      return [ok('token check', 'signed with the root key')]
    case 'user':
      return [
        ok('token check', `signed with access key ${identity.accessKeyId}, which is active`),
        ok('mapping', `the key belongs to user ${identity.user}; its attached policies bind`),
        ...(identity.limits?.policy === undefined
          ? []
          : [ok('access key policy', 'the key is narrowed by a policy of its own')]),
      ]
    case 'session': {
      const { session } = identity
      return [
        ok(
          'token check',
          `session token of ${session.accessKeyId} opened; issued ${session.issuedAt.toISOString()}, ` +
            `ends ${session.expiresAt.toISOString()}, not revoked`,
        ),
        ok('mapping', `${whoIs(session)}; ${bindsBy(session)}`),
        ...lineOf(session),
        ...nameTags(session),
        ...session.sessionPolicies.map(() =>
          ok('session policy', 'the caller narrowed the session with a policy of its own'),
        ),
      ]
    }
  }
}

export function principalOf(identity: Identity): DenialTrace['principal'] {
  if (identity.kind === 'anonymous') return { kind: identity.kind }
  return {
    kind: identity.kind,
    arn: identityArn(identity),
    accessKeyId: identity.accessKeyId,
    ...(identity.kind === 'session' ? { subject: identity.session.principal.subject } : {}),
  }
}

type Session = Extract<Identity, { kind: 'session' }>['session']

/** The roles that were taken on the way, the first one first. */
function lineOf({ lineage, sourceIdentity }: Session): readonly TraceStep[] {
  const { ancestors = [] } = lineage
  const steps = ancestors.map((ancestor) =>
    ok('chain', `made from session ${ancestor.accessKeyId}: ${bindsBy(ancestor)}`),
  )
  if (sourceIdentity === undefined) return steps
  return [...steps, ok('source identity', sourceIdentity)]
}

function nameTags({ tags }: Session): readonly TraceStep[] {
  if (tags.size === 0) return []
  return [ok('tags', [...tags].map(([key, value]) => `${key}=${value}`).join(', '))]
}

function whoIs({ principal }: Session): string {
  if (principal.kind === 'root') return 'session of the root key'
  if (principal.kind === 'user') return `session of user ${principal.subject}`
  if (principal.kind === 'service-account') {
    return `service account ${principal.displayName} of Kubernetes cluster "${principal.provider}"`
  }
  return `subject "${principal.subject}" of ${principal.issuer} (provider ${principal.provider})`
}

function bindsBy({ source }: Pick<Session, 'source'>): string {
  switch (source.kind) {
    case 'root':
      return 'everything that root may'
    case 'user':
      return `the policies that user ${source.name} has now`
    case 'policies':
      return `policies ${source.names.map((name) => `"${name}"`).join(', ')}`
    case 'role':
      return `the policies that role ${source.arn} has now`
    case 'ldap':
      return `the policies attached now to ${source.user} and its groups`
    case 'binding':
      return boundBy(source)
  }
}

function boundBy(source: Extract<Session['source'], { kind: 'binding' }>): string {
  const { bindings, names, documents, roleArn } = source
  const given = [
    ...names.map((name) => `policy "${name}"`),
    ...(documents.length > 0 ? [`${documents.length} of their own`] : []),
    ...(roleArn === undefined ? [] : [`role ${roleArn}`]),
  ]
  return `binding ${bindings.join(', ')} gave ${given.join(', ')}`
}

function ok(step: string, detail: string): TraceStep {
  return { step, outcome: 'ok', detail }
}
