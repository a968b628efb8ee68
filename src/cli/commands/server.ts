import type { Command } from 'commander'
import type { Setting } from '../command.ts'

export function addServerCommand(program: Command, { context }: Setting): void {
  const server = program
    .command('server')
    .argument('<dir>', 'where everything is kept; made when it is not there')
    .description('run the server until it is told to stop')
    .option('--address <host:port>', 'S3, STS and administration (default 127.0.0.1:9000)')
    .option('--config <file>', 'configuration file (DAYPASS_CONFIG)')
  server.action(async (dir: string, options: Readonly<{ address?: string; config?: string }>) => {
    const { serve } = await import('../../main.ts')
    const configFile = options.config ?? context.env['DAYPASS_CONFIG']
    const running = await serve({
      dir,
      env: context.env,
      ...(options.address === undefined ? {} : { address: options.address }),
      ...(configFile ? { configFile } : {}),
    })
    await stopOnSignal(() => running.close())
  })
}

/** First signal: let running requests end. Second one: stop at once. */
async function stopOnSignal(close: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const signals = ['SIGINT', 'SIGTERM'] as const
  const now = (): void => process.exit(130)
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, stop).once(signal, now)
    resolve()
  }
  for (const signal of signals) process.once(signal, stop)
  await promise
  await close()
}
