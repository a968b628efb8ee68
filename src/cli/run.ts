import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { CliError, exitCodes } from './cli-error.ts'
import { addAccessKeyCommands } from './commands/accesskey.ts'
import { addCompletionCommand } from './commands/completion.ts'
import { addExplainCommand } from './commands/explain.ts'
import { addGroupCommands } from './commands/group.ts'
import { addImportCommands } from './commands/import.ts'
import { addKeyRingCommands } from './commands/keys.ts'
import { addLdapCommands } from './commands/ldap.ts'
import { addLintCommand } from './commands/lint.ts'
import { addOperatorCommand } from './commands/operator.ts'
import { addPolicyCommands } from './commands/policy.ts'
import { addProviderCommands } from './commands/provider.ts'
import { addRoleCommands } from './commands/role.ts'
import { addServerCommand } from './commands/server.ts'
import { addSessionCommands } from './commands/sessions.ts'
import { addUserCommands } from './commands/user.ts'
import { addWhoCanCommand } from './commands/who-can.ts'
import type { Context, Output } from './context.ts'

/** Runs one command line; never throws. @returns the exit code. */
export async function run(args: readonly string[], context: Context): Promise<number> {
  try {
    await createProgram(context).parseAsync(args, { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    return explainFailure(error, context)
  }
}

function createProgram(context: Context): Command {
  const program = new Command('daypass')
    .description('A Security Token Service for object storage, with its own S3 endpoint')
    .version(readVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.writeOut(text),
      writeErr: (text) => context.writeError(text),
    })
    .addHelpText('after', exitCodeHelp)
  const setting = {
    context,
    deliver: (output: Output, json: boolean) => deliver(context, output, json),
  }
  addServerCommand(program, setting)
  addOperatorCommand(program, setting)
  const admin = program.command('admin').description('change and look at a running server')
  addPolicyCommands(admin, setting)
  addUserCommands(admin, setting)
  addGroupCommands(admin, setting)
  addRoleCommands(admin, setting)
  addAccessKeyCommands(admin, setting)
  addProviderCommands(admin, setting)
  addLdapCommands(admin, setting)
  addImportCommands(admin, setting)
  addKeyRingCommands(admin, setting)
  addSessionCommands(admin, setting)
  addExplainCommand(program, setting)
  addWhoCanCommand(program, setting)
  addLintCommand(program, setting)
  addCompletionCommand(program, setting)
  return program
}

const exitCodeHelp = `
Exit codes: 0 done, 1 refused by the server, not valid or not started, 2 wrong usage, 3 no server there, 4 denied,
5 imported, but not everything.
Keys to sign with: --dir DIR, else DAYPASS_ACCESS_KEY and DAYPASS_SECRET_KEY (and DAYPASS_SESSION_TOKEN),
else the root key in DAYPASS_DIR, else AWS_ACCESS_KEY_ID and its sisters, else the root key in ./data.
Region to sign for: DAYPASS_REGION, AWS_REGION, AWS_DEFAULT_REGION, or us-east-1.`

function deliver(context: Context, { value, text }: Output, json: boolean): void {
  context.writeOut(`${json ? JSON.stringify(value, null, 2) : text}\n`)
}

function explainFailure(error: unknown, context: Context): number {
  if (error instanceof CommanderError) {
    // Help and version, when asked for, are no failure; words about wrong usage have been written already.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
  if (error instanceof CliError) {
    context.writeError(`${error.message}\n`)
    return exitCodes[error.code]
  }
  context.writeError(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return exitCodes.fault
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}
