import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import type { Setting } from '../command.ts'
import { reasonOf, stopOnSignal } from './serving.ts'

type OperatorOptions = Readonly<{
  config?: string
  kubeconfig?: string
  context?: string
  address?: string
  operationsAddress?: string
}>

export function addOperatorCommand(program: Command, { context }: Setting): void {
  const operator = program
    .command('operator')
    .description('give the pods of a Kubernetes cluster S3 credentials until it is told to stop')
    .option('--config <file>', 'configuration file (DAYPASS_CONFIG)')
    .option('--kubeconfig <file>', 'way to the API server; default: the service account of the pod')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--address <host:port>', 'the STS, by TLS (default 0.0.0.0:4223)')
    .option('--operations-address <host:port>', 'metrics and health (default 127.0.0.1:9002)')
  operator.action(async ({ config, ...overrides }: OperatorOptions) => {
    const file = config ?? context.env['DAYPASS_CONFIG']
    const running = await start({ env: context.env, file, overrides })
    const stopped = stopOnSignal()
    context.writeError(`${welcome(running)}\n`)
    await stopped
    await running.close()
  })
}

type Operator = typeof import('../../operator.ts')
type Running = Awaited<ReturnType<Operator['operate']>>

/** What can go wrong here is the configuration, the way to the cluster or an address: words for people, no stack. */
async function start(options: Parameters<Operator['operate']>[0]): Promise<Running> {
  const { operate } = await import('../../operator.ts')
  try {
    return await operate(options)
  } catch (cause) {
    throw new CliError('not_started', `The operator could not start. ${reasonOf(cause)}`, { cause })
  }
}

/** On standard error: standard output is the audit log's, unless that has a folder. */
function welcome(running: Running): string {
  const { endpoint, operationsEndpoint, webhookEndpoint, cluster, notices } = running
  return [
    'Daypass operator',
    '',
    `  Cluster     ${cluster}`,
    `  STS         ${endpoint}/sts/NAMESPACE   (POST), ${endpoint}/credentials/NAMESPACE (GET)`,
    ...(webhookEndpoint === undefined ? [] : [`  Admission   ${webhookEndpoint}/validate`]),
    `  Operations  ${operationsEndpoint}/metrics /live /ready`,
    ...notices.map((notice) => `  Note        ${notice}`),
  ].join('\n')
}
