import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import { manyOptions, remote } from '../command.ts'
import type { Setting } from '../command.ts'

export function addImportCommands(admin: Command, setting: Setting): void {
  const from = admin.command('import').description('carry over what another server has')
  const minio = from
    .command('minio')
    .argument('<file>', 'archive that "mc admin cluster iam export ALIAS" wrote; it holds secrets')
    .description('users with their keys, groups, policies, mappings and service accounts of MinIO')
    .option('--dry-run', 'change nothing; say what would come of it')
    .option(
      '--replace',
      'where something is here already with other content, take that of the archive',
    )
    .option(
      '--parent <old=user...>',
      'the user here who gets the service accounts of this parent: of root, or of somebody of a provider',
    )
  remote(minio, setting, async (client, [file = ''], options) => {
    const { importMinio } = await import('../minio/import.ts')
    return importMinio(client, setting.context, file, {
      dryRun: options['dryRun'] === true,
      replace: options['replace'] === true,
      parents: new Map(manyOptions(minio, 'parent').map(readParent)),
    })
  })
}

/** The name of a user has no `=` that matters; a distinguished name has several. */
function readParent(text: string): readonly [parent: string, user: string] {
  const at = text.lastIndexOf('=')
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)]
  throw new CliError('usage', `--parent ${JSON.stringify(text)} is not of the form PARENT=USER`)
}
