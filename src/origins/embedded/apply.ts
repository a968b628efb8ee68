import { bucketAppliers } from './apply-buckets.ts'
import { completeMultipartUpload } from './apply-completion.ts'
import { objectAppliers } from './apply-objects.ts'
import { uploadAppliers } from './apply-uploads.ts'
import type { Command, Commands } from './commands.ts'
import type { WriteContext } from './write-context.ts'

/** Each decides and writes inside the open transaction; a refusal it throws takes back all it wrote. */
export type Appliers = {
  [Name in keyof Commands]: (
    context: WriteContext,
    request: Commands[Name]['request'],
  ) => Commands[Name]['response']
}

const appliers: Appliers = {
  ...bucketAppliers,
  ...objectAppliers,
  ...uploadAppliers,
  CompleteMultipartUpload: completeMultipartUpload,
}

export function apply(context: WriteContext, command: Command): unknown {
  return applyNamed(context, command.name, command.request)
}

function applyNamed<Name extends keyof Commands>(
  context: WriteContext,
  name: Name,
  request: Commands[Name]['request'],
): Commands[Name]['response'] {
  return appliers[name](context, request)
}
