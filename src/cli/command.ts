import type { Command } from 'commander'
import { createClient } from './client.ts'
import type { Client } from './client.ts'
import type { Context, Output } from './context.ts'

/** Where commands leave what they return. */
type Deliver = (output: Output, json: boolean) => void

export type Setting = Readonly<{ context: Context; deliver: Deliver }>

type Options = Readonly<Record<string, string | boolean | undefined>>

/** A command that asks the running server; `run` gets the arguments in order. */
export function remote(
  command: Command,
  { context, deliver }: Setting,
  run: (client: Client, args: readonly (string | undefined)[], options: Options) => Promise<Output>,
): Command {
  return command
    .option(
      '--endpoint <url>',
      'address of the server (DAYPASS_ENDPOINT, default http://127.0.0.1:9000)',
    )
    .option('--dir <dir>', 'sign with the root key of this server directory')
    .option('--json', 'print the value as JSON')
    .action(async () => {
      const options: Options = command.opts()
      const client = createClient(context, {
        ...(typeof options['endpoint'] === 'string' ? { endpoint: options['endpoint'] } : {}),
        ...(typeof options['dir'] === 'string' ? { dir: options['dir'] } : {}),
      })
      const output = await run(client, command.processedArgs.map(textArgument), options)
      deliver(output, options['json'] === true)
      if (output.failure) throw output.failure
    })
}

function textArgument(argument: unknown): string | undefined {
  return typeof argument === 'string' ? argument : undefined
}

/** A text option, `undefined` when it is not given. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** The texts of a variadic argument. */
export function manyTexts(command: Command, index: number): readonly string[] {
  return textsOf(command.processedArgs[index])
}

/** The texts of a variadic option; none when it is not given. */
export function manyOptions(command: Command, name: string): readonly string[] {
  return textsOf(command.getOptionValue(name))
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** The answer of a command that changes something and has nothing to show. */
export function done(sentence: string): Output {
  return { value: { ok: true }, text: sentence }
}
