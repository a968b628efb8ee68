import type { Command } from 'commander'
import type { Client } from '../client.ts'
import { done, manyTexts, remote } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { listFields, tagFields } from '../lists.ts'
import { withPolicyArn } from '../policy-arns.ts'
import { printable } from '../printable.ts'
import { readInput } from '../read-input.ts'
import { table } from '../table.ts'

/** What users, groups and roles have in common. `noun`: as it stands in the names of the actions. */
export type Noun = 'User' | 'Group' | 'Role'

export function addHolderCommands(parent: Command, setting: Setting, noun: Noun): void {
  addAttachment(parent, setting, noun, 'attach')
  addAttachment(parent, setting, noun, 'detach')
  addInlineCommands(parent, setting, noun)
  if (noun === 'Group') return
  addBoundary(parent, setting, noun)
  addTagCommands(parent, setting, noun)
}

/** The names of the attached policies. */
export async function attachedPolicies(
  client: Client,
  noun: Noun,
  name: string,
): Promise<readonly string[]> {
  const fields = { [`${noun}Name`]: name }
  const attached = await client.list(`ListAttached${noun}Policies`, 'AttachedPolicies', fields)
  return attached.map((policy) => policy.text('PolicyName') ?? '')
}

export async function inlinePolicies(
  client: Client,
  noun: Noun,
  name: string,
): Promise<readonly string[]> {
  const found = await client.list(`List${noun}Policies`, 'PolicyNames', { [`${noun}Name`]: name })
  return found.map((each) => String(each.value))
}

function addAttachment(
  parent: Command,
  setting: Setting,
  noun: Noun,
  verb: 'attach' | 'detach',
): void {
  const word = noun.toLowerCase()
  const action = verb === 'attach' ? `Attach${noun}Policy` : `Detach${noun}Policy`
  const description =
    verb === 'attach' ? `give a policy to a ${word}` : `take a policy from a ${word}`
  remote(
    parent.command(verb).argument('<name>').argument('<policy>').description(description),
    setting,
    async (client, [name = '', policy = '']) => {
      await withPolicyArn(policy, (PolicyArn) =>
        client.call('iam', action, { [`${noun}Name`]: name, PolicyArn }),
      )
      const where = verb === 'attach' ? 'is attached to' : 'is no longer attached to'
      return done(`Policy ${printable(policy)} ${where} ${word} ${printable(name)}`)
    },
  )
}

function addInlineCommands(parent: Command, setting: Setting, noun: Noun): void {
  const word = noun.toLowerCase()
  const inline = parent.command('inline').description(`policies of one ${word} alone`)
  remote(
    inline.command('ls').argument('<name>').description('list them'),
    setting,
    async (client, [name = '']) => {
      const names = await inlinePolicies(client, noun, name)
      return {
        value: names,
        text: table(
          ['NAME'],
          names.map((each) => [each]),
        ),
      }
    },
  )
  remote(
    inline
      .command('get')
      .argument('<name>')
      .argument('<policy>')
      .description('print the document of one'),
    setting,
    async (client, [name = '', policy = '']) => {
      const fields = { [`${noun}Name`]: name, PolicyName: policy }
      const found = await client.call('iam', `Get${noun}Policy`, fields)
      return documentOutput(found.text('PolicyDocument') ?? '')
    },
  )
  remote(
    inline
      .command('put')
      .argument('<name>')
      .argument('<policy>')
      .argument('<file>', 'JSON document; - for standard input')
      .description('create or replace one'),
    setting,
    async (client, [name = '', policy = '', file = '']) => {
      const PolicyDocument = await readInput(setting.context, file)
      const fields = { [`${noun}Name`]: name, PolicyName: policy, PolicyDocument }
      await client.call('iam', `Put${noun}Policy`, fields)
      return done(`Policy ${printable(policy)} is put on ${word} ${printable(name)}`)
    },
  )
  remote(
    inline.command('rm').argument('<name>').argument('<policy>').description('delete one'),
    setting,
    async (client, [name = '', policy = '']) => {
      const fields = { [`${noun}Name`]: name, PolicyName: policy }
      await client.call('iam', `Delete${noun}Policy`, fields)
      return done(`Policy ${printable(policy)} of ${word} ${printable(name)} is deleted`)
    },
  )
}

function addBoundary(parent: Command, setting: Setting, noun: Noun): void {
  const word = noun.toLowerCase()
  remote(
    parent
      .command('boundary')
      .argument('<name>')
      .argument('[policy]', 'none: take the boundary away')
      .description(`set the policy beyond which the ${word} may do nothing`),
    setting,
    async (client, [name = '', policy]) => {
      const fields = { [`${noun}Name`]: name }
      if (policy === undefined) {
        await client.call('iam', `Delete${noun}PermissionsBoundary`, fields)
        return done(`${noun} ${printable(name)} has no boundary any more`)
      }
      await withPolicyArn(policy, (PermissionsBoundary) =>
        client.call('iam', `Put${noun}PermissionsBoundary`, { ...fields, PermissionsBoundary }),
      )
      return done(`Policy ${printable(policy)} is the boundary of ${word} ${printable(name)}`)
    },
  )
}

function addTagCommands(parent: Command, setting: Setting, noun: Noun): void {
  const word = noun.toLowerCase()
  const tag = parent
    .command('tag')
    .argument('<name>')
    .argument('<key=value...>')
    .description(`set tags of a ${word}`)
  remote(tag, setting, async (client, [name = '']) => {
    const pairs = manyTexts(tag, 1)
    await client.call('iam', `Tag${noun}`, { [`${noun}Name`]: name, ...tagFields(pairs) })
    return done(`${noun} ${printable(name)} is tagged`)
  })
  const untag = parent
    .command('untag')
    .argument('<name>')
    .argument('<key...>')
    .description(`take tags from a ${word}`)
  remote(untag, setting, async (client, [name = '']) => {
    const keys = listFields('TagKeys', manyTexts(untag, 1))
    await client.call('iam', `Untag${noun}`, { [`${noun}Name`]: name, ...keys })
    return done(`${noun} ${printable(name)} has these tags no longer`)
  })
}

/** A document as the wire carries it, percent-encoded. */
export function documentOutput(encoded: string): Output {
  const value: unknown = JSON.parse(decodeURIComponent(encoded))
  return { value, text: JSON.stringify(value, null, 2) }
}
