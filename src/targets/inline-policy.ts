import { ExchangeError } from '../exchange.ts'
import { sessionFacts, type Grant } from '../grants/index.ts'
import { narrow, parsePolicy, PolicyError } from '../policy/index.ts'
import type { NamedPolicy, SourcedPolicy } from '../policy/index.ts'
import type { AssumeRoleTarget } from './types.ts'

type BindingSource = Extract<Grant['source'], { kind: 'binding' }>
type Settings = Pick<AssumeRoleTarget, 'tenant' | 'dialect' | 'maxPolicyBytes'>

/**
 * The one session policy of what a grant gives: what the bindings name, within the ceiling and the caller's policy. `undefined`: the role that is taken says it all.
 * @throws ExchangeError that names the bindings: `no_policy`, `malformed_policy`, `session_policy_too_large`
 */
export function inlinePolicy(
  grant: Grant,
  source: BindingSource,
  named: readonly SourcedPolicy[],
  settings: Settings,
): string | undefined {
  const bound = [...named, ...documentsOf(source)]
  const session = sessionDocuments(grant)
  // A role whose policies were all left out is another thing than a role alone: they were there to narrow it.
  const namesNothing = source.names.length === 0 && source.documents.length === 0
  const byRole = namesNothing && source.roleArn !== undefined
  if (byRole && session.length === 0) return undefined
  if (bound.length === 0 && !byRole) {
    const message = `Nothing is left of what ${bindingsOf(source)} names in tenant ${settings.tenant}`
    throw new ExchangeError('no_policy', message)
  }
  const { text, bytes } = intersect(byRole ? [everything()] : bound, session, grant, settings)
  if (bytes > settings.maxPolicyBytes) throw tooLarge(source, bytes, settings)
  return text
}

/** `binding shop/web`, for messages. */
export function bindingsOf({ bindings }: Pick<BindingSource, 'bindings'>): string {
  return `${bindings.length === 1 ? 'binding' : 'bindings'} ${bindings.join(', ')}`
}

function documentsOf(source: BindingSource): readonly SourcedPolicy[] {
  return source.documents.map((text, index) => ({
    name: `inline policy ${index + 1}`,
    source: bindingsOf(source),
    policy: parsePolicy(text, 'identity'),
  }))
}

/** Layers intersect, so each has one document; several in one layer would unite, which nobody here grants. */
function sessionDocuments(grant: Grant): readonly NamedPolicy[] {
  if (grant.sessionPolicyNames.some((names) => names.length > 0)) throw unknownLayer()
  return grant.sessionPolicies.map((layer, index) => {
    const [text, ...more] = layer
    if (text === undefined || more.length > 0) throw unknownLayer()
    return { name: `session policy ${index + 1}`, policy: parsePolicy(text, 'session') }
  })
}

function unknownLayer(): TypeError {
  return new TypeError('a layer of session policies that is not one document')
}

/** The role says what may be done; what is sent along only narrows it. */
function everything(): NamedPolicy {
  const statement = { Effect: 'Allow', Action: '*', Resource: '*' }
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  return { name: 'the role', policy: parsePolicy(text, 'identity') }
}

function intersect(
  bound: readonly SourcedPolicy[],
  session: readonly SourcedPolicy[],
  grant: Grant,
  { dialect }: Settings,
): ReturnType<typeof narrow> {
  try {
    return narrow({ bound, session, facts: sessionFacts(grant, grant.tags), dialect })
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const code = error.code === 'policy_too_large' ? 'session_policy_too_large' : error.code
    const message = `The bound policies and what narrows them cannot be one session policy: ${error.message}`
    throw new ExchangeError(code, message, { detail: error.detail, cause: error })
  }
}

function tooLarge(
  source: BindingSource,
  bytes: number,
  { tenant, maxPolicyBytes: limit }: Settings,
): ExchangeError {
  const message =
    `What ${bindingsOf(source)} give, with what narrows it, is a session policy of ${bytes} bytes, ` +
    `and tenant ${tenant} takes ${limit}; bind fewer or shorter policies`
  return new ExchangeError('session_policy_too_large', message, { detail: { bytes, limit } })
}
