import { setImmediate as breathe } from 'node:timers/promises'
import type { Role } from '../admin/index.ts'
import { decideTrust, explain, isAllowed } from '../policy/index.ts'
import type { NamedPolicy, Question } from '../policy/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { bucketOfArn } from './arn.ts'
import { directoryOf, isOfDirectory, subjectTag } from './directory-subjects.ts'
import { pageParameters } from './page.ts'
import { actionText, required, resourceText } from './parameter.ts'
import { contextEntries, suppose } from './simulation-context.ts'
import type { ContextEntry } from './simulation-context.ts'
import { ceilingsOf, groupSubject, ldapSubject, roleSubject, userSubject } from './subjects.ts'
import type { Ground, Subject } from './subjects.ts'
import type { ActionContext } from './types.ts'
import type { Members, Value } from './value.ts'

/**
 * Ours: everybody that may do something, asked of the engine one by one, and of a role also who may take it. Sessions of
 * claims (`policy` claim, provider roles) are nobody yet and do not appear; nor does root, which may do everything. Whom
 * the bucket's own policy lets in without a key stands there as `everyone`.
 */
export const whoCanActions: readonly (readonly [string, Action])[] = [
  [
    'WhoCan',
    defineAction({
      parameters: {
        ActionName: required(actionText),
        ResourceArn: required(resourceText),
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
  const { now } = context
  const { Marker: after, MaxItems = 100 } = values
  // Refuses what cannot be supposed, also where nobody is there to be asked about.
  suppose({ aws: { CurrentTime: now } }, values.ContextEntries)
  const bucketPolicy = await bucketPolicyFor(values.ResourceArn, context)
  const found: Value[] = []
  let last: string | undefined
  let asked = 0
  const all = candidates(context, bucketPolicy)
  for (const { tag, make } of all) {
    if (after !== undefined && tag <= after) continue
    if (++asked % bunch === 0) await breathe()
    const subject = make()
    if (subject === undefined) continue
    const question = questionAbout(subject, values, bucketPolicy, context)
    if (!isAllowed(question)) continue
    if (found.length === MaxItems) return answer(found, last, bucketPolicy)
    const reason = explain(question).accesses[0]?.reason ?? ''
    found.push({ ...element(subject, reason), ...(await takersOf(subject, all, context)) })
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

type Everyone = Omit<Subject, 'kind' | 'principal'> &
  Readonly<{ kind: 'everyone'; principal: Readonly<{ kind: 'anonymous' }> }>
type Whoever = Subject | Everyone
type Candidate = Readonly<{ tag: string; make(): Whoever | undefined }>

/** In the order of their tags. Somebody may be deleted while others are asked about. */
function candidates(
  context: ActionContext,
  bucketPolicy: NamedPolicy | undefined,
): readonly Candidate[] {
  const { admin, directories } = context
  const users = admin.listUsers().filter(({ status }) => status === 'enabled')
  const ldap = admin
    .listAttachments()
    .flatMap(({ subject }) => (isOfDirectory(subject) ? [subject] : []))
    .map((subject) => {
      const directory = directoryOf(subject, directories)
      return directory === undefined ? subject : { ...subject, directory }
    })
  const all: readonly Candidate[] = [
    ...(bucketPolicy ? [{ tag: '*', make: () => everyone(context) }] : []),
    ...users.map(({ name }) => ({
      tag: `user ${name}`,
      make: () => (admin.findUser(name) ? userSubject(context, name) : undefined),
    })),
    ...admin.listGroups().map(({ name }) => ({
      tag: `group ${name}`,
      make: () => (admin.findGroup(name) ? groupSubject(context, name) : undefined),
    })),
    ...admin.listRoles().map(({ name }) => ({
      tag: `role ${name}`,
      make: () => (admin.findRole(name) ? roleSubject(context, name) : undefined),
    })),
    ...ldap.map((subject) => ({
      tag: subjectTag(subject),
      make: () => ldapSubject(context, subject),
    })),
  ]
  const unique = new Map(all.map((candidate) => [candidate.tag, candidate]))
  return [...unique.values()].sort((a, b) => (a.tag < b.tag ? -1 : 1))
}

function questionAbout(
  subject: Whoever,
  { ActionName: action, ResourceArn: resource, ContextEntries }: Values,
  bucketPolicy: NamedPolicy | undefined,
  { policyCompat }: Pick<ActionContext, 'policyCompat'>,
): Question {
  const { facts, s3, iam } = suppose(subject.facts, ContextEntries)
  const access = { action, resource, s3, iam, ...(bucketPolicy ? { bucketPolicy } : {}) }
  const { principal, identity, ceilings } = subject
  const compat = policyCompat && { compat: policyCompat }
  return { principal, accesses: [access], facts, identity, ceilings, ...compat }
}

async function bucketPolicyFor(
  resource: string,
  { findBucketPolicy }: ActionContext,
): Promise<NamedPolicy | undefined> {
  const bucket = bucketOfArn(resource)
  if (bucket === undefined) return undefined
  return findBucketPolicy?.(bucket)
}

/** Whoever sends a request, with a key or without. */
function everyone(ground: Ground): Everyone {
  return {
    kind: 'everyone',
    name: '*',
    principal: { kind: 'anonymous' },
    identity: [],
    ceilings: ceilingsOf(ground),
    facts: { aws: { CurrentTime: ground.now } },
  }
}

function element({ kind, name, arn, directory }: Whoever, reason: string): Members {
  return { Kind: kind, Name: name, Arn: arn, Directory: directory, Reason: reason }
}

/** So many names say enough about who can take a role. */
const mostTakers = 20

/**
 * Whom the trust policy of a role lets take it as things are, one level deep: users and roles by their keys, people of a
 * directory by their login. What it demands of tags, external ids or claims nobody has yet, so they do not appear.
 */
async function takersOf(
  role: Whoever,
  all: readonly Candidate[],
  { admin }: ActionContext,
): Promise<Members> {
  const found = role.kind === 'role' ? admin.findRole(role.name) : undefined
  if (found === undefined) return {}
  const takers: Members[] = []
  let asked = 0
  for (const { make } of all) {
    if (++asked % bunch === 0) await breathe()
    const who = make()
    if (who === undefined || !mayTake(who, found)) continue
    if (takers.length === mostTakers) return { AssumableBy: takers, AssumableByMore: true }
    takers.push({ Kind: who.kind, Name: who.name, Arn: who.arn, Directory: who.directory })
  }
  return { AssumableBy: takers, AssumableByMore: false }
}

function mayTake(who: Whoever, role: Role): boolean {
  const { kind, principal, directory, identity, ceilings, facts } = who
  // What a group is given is its members', who stand there by themselves.
  if (kind === 'everyone' || kind === 'group') return false
  const question = {
    role: role.arn,
    trustPolicy: { name: `trust policy of ${role.name}`, policy: role.trustPolicy },
    facts,
  }
  if (kind === 'user' || kind === 'role') {
    const caller = { kind: 'key', principal } as const
    return decideTrust({ ...question, caller, actions: ['sts:AssumeRole'], identity, ceilings })
      .allowed
  }
  if (directory === undefined) return false
  const caller = { kind: 'federated', provider: directory } as const
  const actions = ['sts:AssumeRoleWithLDAPIdentity']
  return decideTrust({ ...question, caller, actions, identity: [], ceilings: [] }).allowed
}
