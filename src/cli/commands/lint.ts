import type { Command } from 'commander'
import { Option } from 'commander'
import { CliError } from '../cli-error.ts'
import { manyTexts, type Setting } from '../command.ts'
import type { Output } from '../context.ts'
import { isFolder, readObjects, readTexts } from '../kubernetes/read-resources.ts'
import { lintResources } from '../kubernetes/lint-resources.ts'
import { printable } from '../printable.ts'

const kinds = ['identity', 'session', 'bucket', 'trust'] as const
type Kind = (typeof kinds)[number]
type Options = Readonly<{ kind: Kind; namespace: string; json?: true }>

export function addLintCommand(program: Command, { context, deliver }: Setting): void {
  const lint = program
    .command('lint')
    .argument('<file...>', 'policy document, or Kubernetes YAML; - for standard input')
    .description(
      'check a policy document, or bindings and tenants for Kubernetes, without a server',
    )
    .addHelpText('after', help)
    .addOption(
      new Option('--kind <kind>', 'where a policy document will be used')
        .choices(kinds)
        .default('identity'),
    )
    .option('--namespace <name>', 'of Kubernetes resources that name none', 'default')
    .option('--json', 'print the value as JSON')
  lint.action(async (_: unknown, { kind, namespace, json }: Options) => {
    const names = manyTexts(lint, 0)
    const texts = await readTexts(context, names)
    const read = await readObjects(texts)
    const [only] = texts
    const isPolicy = texts.length === 1 && !names.some(isFolder) && read.objects.length === 0
    const output =
      only && isPolicy && looksLikePolicy(only.text, read.others)
        ? await checkPolicy(only.text, kind)
        : await lintResources(read, namespace)
    deliver(output, json === true)
    if (output.failure) throw output.failure
  })
}

const help = `
Files, folders and standard input may hold PolicyBindings, Bindings, Policies and Tenants, in any number of documents. They are
judged as admission judges them, as if they, and nothing else, were in a cluster. Warnings leave the exit code at 0.`

/** A policy document is JSON; of what is neither that nor a resource the parser of policies has the better words. */
function looksLikePolicy(text: string, others: number): boolean {
  return others > 0 || text.trim() === '' || /^\s*[{["]/.test(text)
}

async function checkPolicy(text: string, kind: Kind): Promise<Output> {
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
