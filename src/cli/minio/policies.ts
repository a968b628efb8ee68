import { cannedPolicies, parsePolicy, PolicyError } from '../../policy/index.ts'
import { isWireCode } from '../client.ts'
import type { Client } from '../client.ts'
import { addPolicyVersion } from '../policy-arns.ts'
import { differences } from './differences.ts'
import { sameDocument } from './same-document.ts'
import { change, refusalOf } from './task.ts'
import type { Task } from './task.ts'

/** What has become of a policy of the archive. */
export type CarriedPolicy =
  | Readonly<{ kind: 'here'; arn: string; name: string; mayDeny: boolean }>
  /** Nobody loses a Deny by it: whoever had it has less now. */
  | Readonly<{ kind: 'lost'; reason: string }>
  /** Something else stands under its name: whoever had it must not get that. */
  | Readonly<{ kind: 'conflict'; reason: string }>

export type CarriedPolicies = ReadonlyMap<string, CarriedPolicy>

type Standing = Readonly<{ arn: string; text: string; managedBy: string }>

export async function carryPolicies(
  task: Task,
  policies: ReadonlyMap<string, unknown>,
): Promise<CarriedPolicies> {
  const carried = new Map<string, CarriedPolicy>()
  for (const [name, document] of policies) {
    carried.set(name, await carryPolicy(task, name, JSON.stringify(document)))
  }
  for (const name of cannedPolicies.keys()) {
    if (!carried.has(name)) await useBuiltIn(task, name, carried)
  }
  return carried
}

/** What MinIO has built in, it had, also when the archive does not say so. */
async function useBuiltIn(
  { client }: Task,
  name: string,
  carried: Map<string, CarriedPolicy>,
): Promise<void> {
  const there = standing(await find(client, name))
  if (there?.managedBy !== 'built-in') return
  carried.set(name, { kind: 'here', arn: there.arn, name, mayDeny: false })
}

async function carryPolicy(task: Task, name: string, given: string): Promise<CarriedPolicy> {
  const parsed = parse(given)
  const mayDeny = mightDeny(given)
  if ('problem' in parsed) {
    return mayDeny
      ? standIn(task, name, parsed.problem)
      : lost(task, name, `its document is refused here: ${parsed.problem}`)
  }
  const there = await find(task.client, name)
  if (there === 'unnameable') return carryRenamed(task, name, parsed.text, mayDeny)
  const isOther = there !== undefined && !sameDocument(there.text, parsed.text)
  if (isOther && there.managedBy === 'built-in') {
    return carryRenamed(task, name, parsed.text, mayDeny)
  }
  return put(task, { name, arn: there?.arn ?? localArn(name), text: parsed.text, mayDeny }, there)
}

type Wanted = Readonly<{ name: string; arn: string; text: string; mayDeny: boolean }>

async function put(
  task: Task,
  wanted: Wanted,
  there: Standing | undefined,
): Promise<CarriedPolicy> {
  const { name, arn, text, mayDeny } = wanted
  const here = (outcome: 'carried' | 'replaced' | 'unchanged'): CarriedPolicy => {
    task.report.add('policy', name, outcome)
    for (const note of differences(text)) task.report.note('policy', name, note)
    return { kind: 'here', arn, name, mayDeny }
  }
  if (there !== undefined && sameDocument(there.text, text)) {
    return here('unchanged')
  }
  if (there !== undefined && !task.replace) {
    const reason =
      'a policy of this name with another document is here; --replace puts a new version there'
    task.report.remark('policy', name, 'left', reason)
    return { kind: 'conflict', reason: `policy "${name}" here is another one` }
  }
  const refusal = await refusalOf(() =>
    there === undefined
      ? change(task, 'CreatePolicy', { PolicyName: name, PolicyDocument: text })
      : replace(task, arn, text),
  )
  if (refusal !== undefined) {
    return mayDeny ? conflict(task, name, refusal) : lost(task, name, refusal)
  }
  return here(there === undefined ? 'carried' : 'replaced')
}

async function replace(task: Task, arn: string, text: string): Promise<void> {
  if (!task.dryRun) await addPolicyVersion(task.client, arn, text)
}

/** Names that policies cannot have here, and built-in ones that MinIO had been given another document for. */
async function carryRenamed(
  task: Task,
  name: string,
  text: string,
  mayDeny: boolean,
): Promise<CarriedPolicy> {
  const other = renamed(name)
  const carried = await put(
    task,
    { name: other, arn: localArn(other), text, mayDeny },
    standing(await find(task.client, other)),
  )
  if (carried.kind === 'here') {
    const reason = `is called "${other}" here, also where it was mapped; tokens whose policy claim names it do not find it`
    task.report.remark('policy', name, 'altered', reason)
  }
  return carried
}

/** A name that policies and groups can have here. */
export function renamed(name: string): string {
  return `${name.replace(/[^\w+=.@-]/g, '-').slice(0, 100)}-minio`
}

const denyAll = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
})

/**
 * What it would have denied is not known. Left out, whoever has it among others would do more than before; so in its place
 * stands one that denies everything, until somebody has written it anew.
 */
async function standIn(task: Task, name: string, problem: string): Promise<CarriedPolicy> {
  const there = await find(task.client, name)
  if (there === 'unnameable')
    return conflict(task, name, `its document is refused here: ${problem}`)
  const why = `its document is refused here: ${problem}. It may deny something, so`
  if (there !== undefined && !sameDocument(there.text, denyAll)) {
    const reason = `${why} the policy of this name that is here already was left as it is`
    task.report.remark('policy', name, 'altered', reason)
    return { kind: 'here', arn: there.arn, name, mayDeny: true }
  }
  const arn = there?.arn ?? localArn(name)
  const refusal = await refusalOf(async () => {
    if (there !== undefined) return
    await change(task, 'CreatePolicy', { PolicyName: name, PolicyDocument: denyAll })
  })
  if (refusal !== undefined) return conflict(task, name, refusal)
  const reason = `${why} a policy that denies everything stands in its place; write it anew with: daypass admin policy put ${name} FILE`
  task.report.remark('policy', name, 'altered', reason)
  return { kind: 'here', arn, name, mayDeny: true }
}

function lost({ report }: Task, name: string, reason: string): CarriedPolicy {
  report.remark('policy', name, 'left', reason)
  return { kind: 'lost', reason: `policy "${name}" was not carried over` }
}

function conflict({ report }: Task, name: string, reason: string): CarriedPolicy {
  report.remark('policy', name, 'left', reason)
  return {
    kind: 'conflict',
    reason: `policy "${name}" was not carried over, and may deny something`,
  }
}

function parse(text: string): { text: string } | { problem: string } {
  try {
    return { text: parsePolicy(text, 'identity').text }
  } catch (error) {
    if (error instanceof PolicyError) return { problem: error.message }
    throw error
  }
}

/** Only a document whose statements say `Allow`, and nothing but that, denies nothing for sure. */
function mightDeny(text: string): boolean {
  const document: unknown = JSON.parse(text)
  const list = typeof document === 'object' && document !== null && 'Statement' in document
  const statements: readonly unknown[] = list ? [document.Statement].flat() : [document]
  return !statements.every(
    (statement) =>
      typeof statement === 'object' &&
      statement !== null &&
      'Effect' in statement &&
      statement.Effect === 'Allow',
  )
}

/** The document that acts under this name, made here, declared or built in. */
async function find(client: Client, name: string): Promise<Standing | 'unnameable' | undefined> {
  for (const arn of [localArn(name), `arn:aws:iam::aws:policy/${name}`]) {
    try {
      const found = (await client.call('iam', 'GetPolicy', { PolicyArn: arn })).member('Policy')
      return {
        arn,
        text: await readVersion(client, arn, found.text('DefaultVersionId')),
        managedBy: found.text('ManagedBy') ?? '',
      }
    } catch (error) {
      if (isWireCode(error, 'ValidationError')) return 'unnameable'
      if (!isWireCode(error, 'NoSuchEntity')) throw error
    }
  }
  return undefined
}

async function readVersion(
  client: Client,
  PolicyArn: string,
  VersionId: string | undefined,
): Promise<string> {
  const { member } = await client
    .call('iam', 'GetPolicyVersion', { PolicyArn, VersionId })
    .then((answer) => ({ member: answer.member('PolicyVersion') }))
  return decodeURIComponent(member.text('Document') ?? '')
}

function standing(found: Standing | 'unnameable' | undefined): Standing | undefined {
  return found === 'unnameable' ? undefined : found
}

function localArn(name: string): string {
  return `arn:aws:iam::000000000000:policy/${name}`
}
