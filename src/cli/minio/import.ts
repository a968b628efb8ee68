import { CliError } from '../cli-error.ts'
import type { Client } from '../client.ts'
import type { Context, Output } from '../context.ts'
import { readExport } from './export.ts'
import type { MinioExport } from './export.ts'
import { carryGroups } from './groups.ts'
import { carryLdapMappings } from './ldap.ts'
import { carryPolicies } from './policies.ts'
import { Report } from './report.ts'
import { readStanding } from './server.ts'
import { carryServiceAccounts } from './service-accounts.ts'
import type { Task } from './task.ts'
import { carryUsers } from './users.ts'

export type ImportOptions = Readonly<{
  dryRun: boolean
  replace: boolean
  parents: ReadonlyMap<string, string>
}>

/**
 * Carries an archive of `mc admin cluster iam export` over. What a thing needs comes before it, and what begins to work comes
 * last; whatever is here already is left alone, so a run that broke off is repeated.
 */
export async function importMinio(
  client: Client,
  context: Context,
  file: string,
  options: ImportOptions,
): Promise<Output> {
  const report = new Report()
  const given = await readExport(file, report)
  const task: Task = { client, report, ...options, now: context.clock() }
  try {
    await carryAll(task, given, context)
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    const message = `The import stopped in the middle: ${error.message}\nWhat was carried over is there; run it again for the rest.`
    const stopped = new CliError(error.code, message, { cause: error })
    return { ...report.output(options.dryRun, message), failure: stopped }
  }
  const output = report.output(options.dryRun)
  if (report.isWhole) return output
  const message = 'Not everything is here as it was there; see above.'
  return { ...output, failure: new CliError('incomplete', message) }
}

async function carryAll(task: Task, given: MinioExport, context: Context): Promise<void> {
  const standing = await readStanding(task.client)
  const policies = await carryPolicies(task, given.policies)
  const memberships = await carryGroups(task, given, policies, standing)
  const around = { given, policies, memberships, standing }
  const users = await carryUsers(task, around, (done) =>
    context.writeError(`${done} of ${given.users.length} users …\n`),
  )
  await carryLdapMappings(task, given, policies)
  const owners = { carried: users, standing: standing.users }
  await carryServiceAccounts(task, given.serviceAccounts, owners)
}
