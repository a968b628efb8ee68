import type { Command } from 'commander'
import { Answer } from '../answer.ts'
import { CliError } from '../cli-error.ts'
import { remote } from '../command.ts'
import type { Setting } from '../command.ts'
import type { Context } from '../context.ts'
import { extractMessage } from '../extract-message.ts'
import { readInput } from '../read-input.ts'
import { renderDenial } from '../render-denial.ts'

export function addExplainCommand(program: Command, setting: Setting): void {
  const explain = program
    .command('explain')
    .argument(
      '<message>',
      'the encoded message, or anything pasted that holds it; - or @file to read it',
    )
    .description('say why a request was denied')
  remote(explain, setting, async (client, [given = '']) => {
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

function readMessage(context: Context, given: string): Promise<string> | string {
  if (given === '-') return readInput(context, '-')
  return given.startsWith('@') ? readInput(context, given.slice(1)) : given
}
