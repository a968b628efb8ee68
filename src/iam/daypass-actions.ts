import { principalKey } from '../credentials/index.ts'
import type { NewRevocation, RevocationRule, RingKeyInfo } from '../credentials/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { IamError } from './iam-error.ts'
import { flag, instant, oneOf, optional, text, userName } from './parameter.ts'
import type { ActionContext, LdapDirectories, Permission } from './types.ts'
import { findUser } from './find.ts'
import type { Members } from './value.ts'

/** Daypass's own administration, in the same protocol and namespace: the key ring and revocation. */
export const daypassActions: readonly (readonly [string, Action])[] = [
  [
    'ListSigningKeys',
    defineAction({
      parameters: {},
      effect: 'read',
      permissions: () => onEverything('ListSigningKeys'),
      run: (_, { keys }) => ({ SigningKeys: keys.list().map(ringKeyElement) }),
    }),
  ],
  [
    'RotateSigningKeys',
    defineAction({
      parameters: {},
      effect: 'change',
      permissions: () => onEverything('RotateSigningKeys'),
      run: async (_, { keys }) => {
        await keys.rotate()
        return { SigningKeys: keys.list().map(ringKeyElement) }
      },
    }),
  ],
  [
    'RevokeSessions',
    defineAction({
      parameters: {
        AccessKeyId: optional(sessionKeyId),
        Provider: optional(text),
        Subject: optional(text),
        ProviderIsGone: optional(flag),
        UserName: optional(userName),
        Binding: optional(text),
        Cluster: optional(text),
        Role: optional(text),
        PolicyName: optional(text),
        Root: optional(oneOf('true')),
        IssuedBefore: optional(instant),
        Reason: optional(reasonText),
      },
      effect: 'change',
      permissions: (values) => {
        whom(values)
        return onEverything('RevokeSessions')
      },
      run: async (values, context) => ({
        Revocation: revocationElement(
          await context.revocations.revoke(
            ruleFor(
              await person(providerChecked(whom(values), values.ProviderIsGone, context), context),
              { reason: values.Reason ?? '', issuedBefore: values.IssuedBefore },
              context,
            ),
          ),
        ),
      }),
    }),
  ],
  [
    'ListRevocations',
    defineAction({
      parameters: {},
      effect: 'read',
      permissions: () => onEverything('ListRevocations'),
      run: (_, { revocations }) => ({ Revocations: revocations.list().map(revocationElement) }),
    }),
  ],
]

function onEverything(action: string): readonly Permission[] {
  return [{ action: `admin:${action}`, resource: '*' }]
}

function ringKeyElement(key: RingKeyInfo): Members {
  return {
    SigningKeyId: key.id,
    Status: key.status,
    CreateDate: key.createdAt,
    RetireDate: key.retiredAt,
    LastExpiry: key.lastExpiry,
  }
}

function revocationElement(rule: RevocationRule): Members {
  return {
    RevocationId: rule.id,
    AccessKeyId: rule.session,
    Principal: rule.principal,
    Provider: rule.provider,
    Role: rule.role,
    PolicySource: rule.policySource,
    SigningKeyId: rule.sealingKey,
    IssuedBefore: rule.issuedBefore,
    ExpireDate: rule.expiresAt,
    Reason: rule.reason,
  }
}

function sessionKeyId(value: string, name: string): string {
  if (/^ASIA[A-Z2-7]{16}$/.test(value)) return value
  throw new IamError(
    'invalid_parameter',
    `${name} must be the access key id of a session: ASIA and 16 characters of A-Z2-7`,
  )
}

function reasonText(value: string, name: string): string {
  if (value.length <= 256) return value
  throw new IamError('invalid_parameter', `${name} has at most 256 characters`)
}

type Whom =
  | Readonly<{ kind: 'session'; accessKeyId: string }>
  | Readonly<{ kind: 'binding'; id: string }>
  | Readonly<{ kind: 'provider' | 'cluster'; name: string }>
  | Readonly<{ kind: 'role' | 'policy'; name: string }>
  | Readonly<{ kind: 'root' | 'user' | 'web-identity'; provider: string; subject: string }>

/** Exactly one of the ways to say whose sessions end: half a principal would end nothing, or too much. */
function whom(
  values: Readonly<{
    AccessKeyId: string | undefined
    Provider: string | undefined
    Subject: string | undefined
    UserName: string | undefined
    Binding: string | undefined
    Cluster: string | undefined
    Role: string | undefined
    PolicyName: string | undefined
    Root: 'true' | undefined
  }>,
): Whom {
  const { AccessKeyId, Provider, Subject, UserName, Binding, Cluster, Role, PolicyName, Root } =
    values
  const ways: Whom[] = []
  if (AccessKeyId !== undefined) ways.push({ kind: 'session', accessKeyId: AccessKeyId })
  if (UserName !== undefined) ways.push({ kind: 'user', provider: 'internal', subject: UserName })
  if (Binding !== undefined) ways.push({ kind: 'binding', id: bindingId(Binding) })
  if (Cluster !== undefined) ways.push({ kind: 'cluster', name: clusterName(Cluster) })
  if (Root !== undefined) ways.push({ kind: 'root', provider: 'internal', subject: 'root' })
  if (Role !== undefined) ways.push({ kind: 'role', name: Role })
  if (PolicyName !== undefined) ways.push({ kind: 'policy', name: PolicyName })
  if (Provider !== undefined) {
    ways.push(
      Subject === undefined
        ? { kind: 'provider', name: Provider }
        : { kind: 'web-identity', provider: Provider, subject: Subject },
    )
  }
  const [way, ...more] = ways
  const half = Provider === undefined && Subject !== undefined
  if (way && more.length === 0 && !half) return way
  throw new IamError(
    'invalid_parameter',
    'Say whose sessions end in exactly one way: AccessKeyId, or Provider with Subject, or Provider, or UserName, or Role, or PolicyName, or Binding, or Cluster, or Root',
  )
}

/** A name with a slip in it would end nobody's sessions, and look as if it had. */
function bindingId(value: string): string {
  const isId =
    /^(?:daypass\.dev\/Binding|sts\.min\.io\/PolicyBinding)\/[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/.test(
      value,
    )
  if (isId) return value
  throw new IamError(
    'invalid_parameter',
    'Binding must be daypass.dev/Binding/NAMESPACE/NAME or sts.min.io/PolicyBinding/NAMESPACE/NAME',
  )
}

function clusterName(value: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) return value
  throw new IamError(
    'invalid_parameter',
    "Cluster must be a cluster's name as the operator calls it, such as local",
  )
}

const serviceAccount = /^system:serviceaccount:[a-z0-9-]{1,63}:[a-z0-9.-]{1,253}$/

/** A provider with a slip in its name would end nobody's sessions, and look as if it had; so one that is gone is said to be. */
function providerChecked(
  whose: Whom,
  isGone: boolean | undefined,
  { knowsProvider }: ActionContext,
): Whom {
  const provider =
    whose.kind === 'web-identity'
      ? whose.provider
      : whose.kind === 'provider'
        ? whose.name
        : undefined
  if (provider === undefined || isGone === true) return whose
  // Clusters are known to the operator that sealed the session, not to this server.
  if (whose.kind === 'web-identity' && serviceAccount.test(whose.subject)) return whose
  if (knowsProvider?.(provider) ?? true) return whose
  throw new IamError(
    'no_such_entity',
    `There is no provider called "${provider.slice(0, 100)}": give the name that the configuration has for it, ` +
      'or the ARN of one made through the IAM API. For sessions of one that is gone, say so: ProviderIsGone (--gone)',
  )
}

/**
 * Somebody of a directory by the one spelling of its name, whatever was written: a distinguished name in any spelling, or
 * a login name of late. A rule for another spelling would end nobody's sessions, and look as if it had.
 */
async function person(whose: Whom, { directories }: ActionContext): Promise<Whom> {
  if (whose.kind !== 'web-identity' || !directories?.names.includes(whose.provider)) return whose
  const { provider, subject } = whose
  const dn = distinguished(subject, directories)
  if (dn !== undefined) return { ...whose, subject: dn }
  const [found, ...more] = await directories.peopleNamed(provider, subject)
  if (found === undefined) {
    throw new IamError(
      'no_such_entity',
      `Nobody has come in by directory "${provider}" as "${subject.slice(0, 100)}" lately; give the distinguished name`,
    )
  }
  if (more.length === 0) return { ...whose, subject: found }
  throw new IamError(
    'invalid_parameter',
    `Several have come in as "${subject.slice(0, 100)}"; give one of their distinguished names: ${[found, ...more].join(' or ')}`,
  )
}

function distinguished(text: string, directories: LdapDirectories): string | undefined {
  try {
    return directories.normaliseDn(text)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** One session is named, so "issued before" need not tell it from later ones: no clock may be ahead of the rule. */
const clockToleranceMs = 15 * 60 * 1000

type Wishes = Readonly<{ reason: string; issuedBefore: Date | undefined }>

function ruleFor(
  whose: Whom,
  { reason, issuedBefore }: Wishes,
  context: ActionContext,
): NewRevocation {
  const { now } = context
  if (issuedBefore !== undefined && issuedBefore > now) {
    throw new IamError(
      'invalid_parameter',
      'IssuedBefore lies in the future; leave it out for all that there are',
    )
  }
  const tolerant = whose.kind === 'session' ? now.getTime() + clockToleranceMs : now.getTime()
  return { ...metBy(whose, context), issuedBefore: issuedBefore ?? new Date(tolerant), reason }
}

/** What sessions have in common. A name with a slip in it would end nobody's, and look as if it had. */
function metBy(
  whose: Whom,
  { admin }: ActionContext,
): Omit<NewRevocation, 'reason' | 'issuedBefore'> {
  switch (whose.kind) {
    case 'session':
      return { session: whose.accessKeyId }
    case 'binding':
      return { policySource: `binding/${whose.id}` }
    // Kubernetes service accounts go by their cluster, as other people by their provider.
    case 'cluster':
    case 'provider':
      return { provider: whose.name }
    case 'role':
      return { role: roleArn(whose.name, admin) }
    case 'policy':
      if (admin.findPolicy(whose.name)) return { policySource: `policy/${whose.name}` }
      throw new IamError(
        'no_such_entity',
        `There is no policy called "${whose.name.slice(0, 100)}"`,
      )
    case 'user':
      findUser(admin, whose.subject)
      return { principal: principalKey(whose) }
    case 'root':
    case 'web-identity':
      return { principal: principalKey(whose) }
  }
  return whose satisfies never
}

/** Of a role by its name or ARN; the roles of providers have nothing but an ARN. */
function roleArn(role: string, admin: ActionContext['admin']): string {
  const found = admin.findRole(role)
  if (found) return found.arn
  if (/^arn:minio:iam:::role\/[\w-]+$/.test(role)) return role
  throw new IamError('no_such_entity', `There is no role called "${role.slice(0, 100)}"`)
}
