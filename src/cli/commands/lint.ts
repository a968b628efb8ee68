import type { Command } from 'commander'
import { Option } from 'commander'
import { CliError } from '../cli-error.ts'
import type { Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { printable } from '../printable.ts'
import { readInput } from '../read-input.ts'

const kinds = ['identity', 'session', 'bucket', 'trust'] as const
type Kind = (typeof kinds)[number]

export function addLintCommand(program: Command, { context, deliver }: Setting): void {
  const lint = program
    .command('lint')
    .argument('<file>', 'policy document; - for standard input')
    .description('check a policy document, without a server')
    .addOption(
      new Option('--kind <kind>', 'where it will be used').choices(kinds).default('identity'),
    )
    .option('--json', 'print the value as JSON')
  lint.action(async (file: string, options: Readonly<{ kind: Kind; json?: true }>) => {
    deliver(await check(await readInput(context, file), options.kind), options.json === true)
  })
}

async function check(text: string, kind: Kind): Promise<Output> {
  const { parsePolicy, PolicyError } = await import('../../policy/index.ts')
  try {
    const { warnings } = parsePolicy(text, kind)
    const words = warnings.map((warning) => `warning: ${printable(warning)}`)
    return {
      value: { valid: true, warnings },
      text: [`This is a valid ${kind} policy`, ...words].join('\n'),
    }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new CliError('invalid', `This is not a valid ${kind} policy: ${error.message}`, {
      cause: error,
    })
  }
}
