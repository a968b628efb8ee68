import { CliError } from '../cli-error.ts'
import type { Client, Fields } from '../client.ts'
import { Report } from './report.ts'

/** One run of the import. */
export type Task = Readonly<{
  client: Client
  report: Report
  /** Only asks. */
  dryRun: boolean
  /** Takes the archive's word over the server's. */
  replace: boolean
  /** Parent of service accounts -> the user here who gets them. */
  parents: ReadonlyMap<string, string>
  now: Date
}>

/** A call that changes something, unless only to see. */
export async function change(
  { client, dryRun }: Task,
  action: string,
  fields: Fields,
): Promise<void> {
  if (!dryRun) await client.call('iam', action, fields)
}

/**
 * Why the server refused; `undefined`: it did not. What is no matter of this one thing (no server, no permission, a server
 * in trouble) stops the whole run.
 */
export async function refusalOf(step: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await step()
    return undefined
  } catch (error) {
    if (error instanceof CliError && error.code === 'refused' && !isTrouble(error)) {
      return error.message
    }
    throw error
  }
}

function isTrouble({ detail }: CliError): boolean {
  const { status } = detail
  return typeof status === 'number' && (status >= 500 || status === 429)
}
