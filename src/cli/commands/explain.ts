import type { Command } from 'commander'
import { Answer } from '../answer.ts'
import { CliError } from '../cli-error.ts'
import type { Client, Fields } from '../client.ts'
import { manyOptions, remote, textOption } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Context, Output } from '../context.ts'
import { extractMessage } from '../extract-message.ts'
import { contextFields } from '../lists.ts'
import { printable } from '../printable.ts'
import { readInput } from '../read-input.ts'
import { renderDenial } from '../render-denial.ts'

export function addExplainCommand(program: Command, setting: Setting): void {
  const explain = program
    .command('explain')
    .argument(
      '[message]',
      'the encoded message, or anything pasted that holds it; - or @file to read it',
    )
    .description('say why a request was denied, or whether one would be')
    .option('--principal <name>', 'user/NAME, group/NAME, role/NAME, or an ARN; with --action')
    .option('--action <action>', 's3:GetObject')
    .option('--resource <arn>', 'arn:aws:s3:::bucket/key')
    .option('--context <key=value...>', 'suppose a condition key: aws:SourceIp=192.0.2.1')
  remote(explain, setting, async (client, [given], options) => {
    if (given === undefined) {
      const question = {
        principal: textOption(options, 'principal'),
        action: textOption(options, 'action'),
        resource: textOption(options, 'resource') ?? '*',
      }
      return explainPrincipal(client, question, contextFields(manyOptions(explain, 'context')))
    }
    const EncodedMessage = extractMessage(await readMessage(setting.context, given))
    if (EncodedMessage === undefined) {
      throw new CliError(
        'usage',
        'There is no encoded authorization message in that; paste the whole answer of the denied request',
      )
    }
    const answer = await client.call('sts', 'DecodeAuthorizationMessage', { EncodedMessage })
    const trace = Answer.parse(answer.text('DecodedMessage') ?? '')
    return { value: trace.value, text: renderDenial(trace) }
  })
}

type Supposed = Readonly<{
  principal: string | undefined
  action: string | undefined
  resource: string
}>

async function explainPrincipal(
  client: Client,
  { principal, action, resource }: Supposed,
  context: Fields,
): Promise<Output> {
  if (principal === undefined || action === undefined) {
    throw new CliError('usage', 'Give the message of a denial, or --principal and --action')
  }
  const PolicySourceArn = principal.startsWith('arn:')
    ? principal
    : `arn:aws:iam::000000000000:${principal}`
  const answer = await client.call('iam', 'SimulatePrincipalPolicy', {
    PolicySourceArn,
    'ActionNames.member.1': action,
    'ResourceArns.member.1': resource,
    WithBucketPolicies: 'true',
    ...context,
  })
  const [result = new Answer({})] = answer.items('EvaluationResults')
  const decision = result.text('EvalDecision') ?? ''
  const reason = result.text('Reason') ?? ''
  return {
    value: { allowed: decision === 'allowed', decision, reason },
    text: `${decision === 'allowed' ? 'Allowed' : 'Denied'}: ${printable(reason)}`,
  }
}

function readMessage(context: Context, given: string): Promise<string> | string {
  if (given === '-') return readInput(context, '-')
  return given.startsWith('@') ? readInput(context, given.slice(1)) : given
}
