import { principalKey } from '../credentials/index.ts'
import type { NewRevocation, RevocationRule } from '../credentials/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { IamError } from './iam-error.ts'
import { instant, optional, required, text } from './parameter.ts'
import type { Value } from './value.ts'

/** How far the clock of an operator may be ahead. A rule that reached further would shut everybody out until then. */
const aheadMs = 15 * 60_000

type Whose = Readonly<{
  Tenant: string
  Binding: string | undefined
  Provider: string | undefined
  Subject: string | undefined
  IssuedBefore: Date
  Reason: string | undefined
}>

/**
 * For `daypass operator`: ends sessions that it sealed for this server, and no other ones. An action of its own, so that a
 * key can be given the right to this and to nothing else.
 */
export const tenantSessionActions: readonly (readonly [string, Action])[] = [
  [
    'RevokeTenantSessions',
    defineAction({
      parameters: {
        Tenant: required(tenantName),
        Binding: optional(bindingId),
        Provider: optional(text),
        Subject: optional(text),
        IssuedBefore: required(instant),
        Reason: optional(reasonText),
      },
      effect: 'change',
      permissions: (values, { now }) => {
        // Before anybody is asked for permission, like every other parameter.
        demandWhole(values, now)
        return [{ action: 'admin:RevokeTenantSessions', resource: '*' }]
      },
      run: async (values, { revocations }) => {
        const rule = ruleFor(values)
        // Whoever got no answer sends it again; several operators may send the same.
        const known = revocations.list().find((other) => covers(other, rule))
        const { id, issuedBefore, expiresAt } = known ?? (await revocations.revoke(rule))
        const element: Value = {
          RevocationId: id,
          IssuedBefore: issuedBefore,
          ExpireDate: expiresAt,
        }
        return { Revocation: element }
      },
    }),
  ],
]

/** All that an operator seals carries such a name, and nothing that this server seals itself does. */
function tenantName(value: string, name: string): string {
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
  if (new RegExp(`^(?:${label})/(?:${label})$`).test(value)) return value
  throw new IamError('invalid_parameter', `${name} must be NAMESPACE/NAME of a Tenant`)
}

function bindingId(value: string, name: string): string {
  const isId =
    /^(?:daypass\.dev\/Binding|sts\.min\.io\/PolicyBinding)\/[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/
  if (isId.test(value)) return value
  throw new IamError(
    'invalid_parameter',
    `${name} must be daypass.dev/Binding/NAMESPACE/NAME or sts.min.io/PolicyBinding/NAMESPACE/NAME`,
  )
}

function reasonText(value: string, name: string): string {
  if (value.length <= 256) return value
  throw new IamError('invalid_parameter', `${name} has at most 256 characters`)
}

/** Half a principal would end too much. */
function demandWhole(
  { Binding, Provider, Subject, IssuedBefore }: Omit<Whose, 'Tenant' | 'Reason'>,
  now: Date,
): void {
  if ((Provider === undefined) !== (Subject === undefined)) {
    throw new IamError('invalid_parameter', 'Provider and Subject stand together, or not at all')
  }
  if (Binding !== undefined && Provider !== undefined) {
    throw new IamError('invalid_parameter', 'Say Binding, or Provider and Subject, not both')
  }
  if (IssuedBefore.getTime() > now.getTime() + aheadMs) {
    throw new IamError(
      'invalid_parameter',
      'IssuedBefore is more than 15 minutes ahead of the clock of this server',
    )
  }
}

function ruleFor({ Tenant, Binding, Provider, Subject, IssuedBefore, Reason }: Whose) {
  const isPerson = Provider !== undefined && Subject !== undefined
  return {
    tenant: Tenant,
    ...(Binding !== undefined && { policySource: `binding/${Binding}` }),
    ...(isPerson && {
      principal: principalKey({ kind: 'service-account', provider: Provider, subject: Subject }),
    }),
    issuedBefore: IssuedBefore,
    reason: Reason ?? '',
  }
}

const whom = [
  'session',
  'principal',
  'provider',
  'role',
  'policySource',
  'tenant',
  'sealingKey',
] as const

/** Whether the one ends all that the other would. */
function covers(known: RevocationRule, rule: ReturnType<typeof ruleFor>): boolean {
  const wanted: NewRevocation = rule
  return (
    known.issuedBefore.getTime() >= rule.issuedBefore.getTime() &&
    whom.every((member) => known[member] === undefined || known[member] === wanted[member])
  )
}
