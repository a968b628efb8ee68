import type { Fields } from '../client.ts'
import { change, refusalOf } from './task.ts'
import type { Task } from './task.ts'

/** In what the key here differs from the one that is brought; `undefined`: there is none of this id. */
export type Comparison = Readonly<{ differences: readonly string[] | undefined }>

/** The server knows its secrets and tells nobody: it compares. It also says what it would refuse of a key. */
export async function compareKey(
  { client }: Task,
  key: Fields,
): Promise<Comparison | Readonly<{ refusal: string }>> {
  let comparison: Comparison = { differences: undefined }
  const refusal = await refusalOf(async () => {
    const answer = await client.call('iam', 'CompareAccessKey', key)
    if (!answer.flag('Exists')) return
    comparison = { differences: answer.items('Differences').map(({ value }) => String(value)) }
  })
  return refusal === undefined ? comparison : { refusal }
}

export async function writeKey(
  task: Task,
  key: Fields,
  differences: Comparison['differences'],
): Promise<void> {
  if (differences === undefined) await change(task, 'CreateAccessKey', key)
  else if (differences.length > 0) await change(task, 'ReplaceAccessKey', key)
}
