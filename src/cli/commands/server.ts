import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import type { Setting } from '../command.ts'
import { welcomeText } from '../welcome.ts'
import { reasonOf, stopOnSignal } from './serving.ts'

type ServerOptions = Readonly<{ address?: string; operationsAddress?: string; config?: string }>

export function addServerCommand(program: Command, { context }: Setting): void {
  const server = program
    .command('server')
    .argument('<dir>', 'where everything is kept; made when it is not there')
    .description('run the server until it is told to stop')
    .option('--address <host:port>', 'S3, STS and administration (default 127.0.0.1:9000)')
    .option('--operations-address <host:port>', 'metrics and health (default 127.0.0.1:9002)')
    .option('--config <file>', 'configuration file (DAYPASS_CONFIG)')
  server.action(async (dir: string, options: ServerOptions) => {
    const config = options.config ?? context.env['DAYPASS_CONFIG']
    const running = await start({
      dir,
      env: context.env,
      ...(options.address === undefined ? {} : { address: options.address }),
      ...(options.operationsAddress === undefined
        ? {}
        : { operationsAddress: options.operationsAddress }),
      ...(config ? { config } : {}),
    })
    const stopped = stopOnSignal()
    // A new secret is shown to a person, never to a file or a log collector.
    const root = { ...running.root, created: running.root.created && context.isTerminal }
    context.writeOut(`${welcomeText({ ...running, root })}\n`)
    await stopped
    await running.close()
  })
}

type Main = typeof import('../../main.ts')

/** What can go wrong here is the configuration, the directory or the address: words for people, no stack. */
async function start(options: Parameters<Main['serve']>[0]): ReturnType<Main['serve']> {
  const { serve } = await import('../../main.ts')
  try {
    return await serve(options)
  } catch (cause) {
    throw new CliError('not_started', `The server could not start. ${reasonOf(cause)}`, { cause })
  }
}
