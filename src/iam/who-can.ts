import { setImmediate as breathe } from 'node:timers/promises'
import type { Directory } from '../admin/index.ts'
import { explain, isAllowed } from '../policy/index.ts'
import type { NamedPolicy, Question } from '../policy/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { pageParameters } from './page.ts'
import { required, text } from './parameter.ts'
import { contextEntries, suppose } from './simulation-context.ts'
import type { ContextEntry } from './simulation-context.ts'
import { groupSubject, ldapSubject, roleSubject, userSubject } from './subjects.ts'
import type { Subject } from './subjects.ts'
import type { ActionContext } from './types.ts'
import type { Members, Value } from './value.ts'

/**
 * Ours: everybody that may do something, asked of the engine one by one. Sessions of claims (`policy` claim, provider
 * roles) are nobody yet and do not appear; nor does root, which may do everything.
 */
export const whoCanActions: readonly (readonly [string, Action])[] = [
  [
    'WhoCan',
    defineAction({
      parameters: {
        ActionName: required(text),
        ResourceArn: required(text),
        ContextEntries: contextEntries,
        ...pageParameters,
      },
      effect: 'read',
      permissions: () => [{ action: 'admin:WhoCan', resource: '*' }],
      run: whoCan,
    }),
  ],
]

type Values = Readonly<{
  ActionName: string
  ResourceArn: string
  ContextEntries: readonly ContextEntry[]
  Marker: string | undefined
  MaxItems: number | undefined
}>

/** So many are asked about before others get their turn. */
const bunch = 200

async function whoCan(values: Values, context: ActionContext): Promise<Members> {
  const { admin, now } = context
  const { Marker: after, MaxItems = 100 } = values
  // Refuses what cannot be supposed, also where nobody is there to be asked about.
  suppose({ aws: { CurrentTime: now } }, values.ContextEntries)
  const bucketPolicy = await bucketPolicyFor(values.ResourceArn, context)
  const found: Value[] = []
  let last: string | undefined
  let asked = 0
  for (const { tag, make } of candidates(admin, now)) {
    if (after !== undefined && tag <= after) continue
    if (++asked % bunch === 0) await breathe()
    const subject = make()
    if (subject === undefined) continue
    const question = questionAbout(subject, values, bucketPolicy)
    if (!isAllowed(question)) continue
    if (found.length === MaxItems) return answer(found, last, bucketPolicy)
    found.push(element(subject, explain(question).accesses[0]?.reason ?? ''))
    last = tag
  }
  return answer(found, undefined, bucketPolicy)
}

function answer(
  found: readonly Value[],
  last: string | undefined,
  bucketPolicy: NamedPolicy | undefined,
): Members {
  return {
    Principals: found,
    BucketPolicyConsidered: bucketPolicy !== undefined,
    IsTruncated: last !== undefined,
    Marker: last === undefined ? undefined : Buffer.from(last, 'utf8').toString('base64url'),
  }
}

type Candidate = Readonly<{ tag: string; make(): Subject | undefined }>

/** In the order of their tags. Somebody may be deleted while others are asked about. */
function candidates(admin: Directory, now: Date): readonly Candidate[] {
  const users = admin.listUsers().filter(({ status }) => status === 'enabled')
  const ldap = admin
    .listAttachments()
    .flatMap(({ subject: { kind, name } }) =>
      kind === 'ldap-user' || kind === 'ldap-group' ? [{ kind, name } as const] : [],
    )
  const all = [
    ...users.map(({ name }) => ({
      tag: `user ${name}`,
      make: () => (admin.findUser(name) ? userSubject(admin, name, now) : undefined),
    })),
    ...admin.listGroups().map(({ name }) => ({
      tag: `group ${name}`,
      make: () => (admin.findGroup(name) ? groupSubject(admin, name, now) : undefined),
    })),
    ...admin.listRoles().map(({ name }) => ({
      tag: `role ${name}`,
      make: () => (admin.findRole(name) ? roleSubject(admin, name, now) : undefined),
    })),
    ...ldap.map((subject) => ({
      tag: `${subject.kind} ${subject.name}`,
      make: () => ldapSubject(admin, subject, now),
    })),
  ]
  const unique = new Map(all.map((candidate) => [candidate.tag, candidate]))
  return [...unique.values()].sort((a, b) => (a.tag < b.tag ? -1 : 1))
}

function questionAbout(
  subject: Subject,
  { ActionName: action, ResourceArn: resource, ContextEntries }: Values,
  bucketPolicy: NamedPolicy | undefined,
): Question {
  const { facts, s3 } = suppose(subject.facts, ContextEntries)
  const access = { action, resource, s3, ...(bucketPolicy ? { bucketPolicy } : {}) }
  const { principal, identity, ceilings } = subject
  return { principal, accesses: [access], facts, identity, ceilings }
}

async function bucketPolicyFor(
  resource: string,
  { findBucketPolicy }: ActionContext,
): Promise<NamedPolicy | undefined> {
  const bucket = /^arn:aws:s3:::([^/*?]+)/.exec(resource)?.[1]
  if (bucket === undefined) return undefined
  return findBucketPolicy?.(bucket)
}

function element({ kind, name, arn }: Subject, reason: string): Members {
  return { Kind: kind, Name: name, Arn: arn, Reason: reason }
}
