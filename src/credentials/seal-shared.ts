import type { Grant } from '../grants/index.ts'
import { sharedRingKey, type SharedKeys } from './shared-keys.ts'
import { createSessions } from './sessions.ts'
import type { Credentials } from './types.ts'

type Ground = Readonly<{
  clock: () => Date
  random: (bytes: number) => Buffer
  /** As `rememberRingKeys` gives it. Absent: keys are derived each time. */
  ringKeyOf?: typeof sharedRingKey
}>

/**
 * Grant -> Credentials that the servers of its tenant honour, under the keys that both hold. Writes nothing anywhere.
 * @throws CredentialsError `session_too_large`; Error when there is no active key
 */
export function issueShared(
  grant: Grant,
  { active, keys }: SharedKeys,
  { ringKeyOf = sharedRingKey, ...ground }: Ground,
): Credentials {
  const bytes = keys.get(active)
  if (bytes === undefined) throw new Error('none of the shared session keys is the active one')
  const activeKey = ringKeyOf(active, bytes, grant.tenant)
  return createSessions({ ...ground, ring: sealingOnly(activeKey), revocations: unasked }).issue(
    grant,
  )
}

const sealingOnly = (activeKey: ReturnType<typeof sharedRingKey>) => ({
  activeKey,
  find: () => undefined,
  fetch: () => Promise.resolve(undefined),
})

/** Nothing is opened here, and what nobody follows is never fresh. */
const unasked = { find: () => undefined, isFresh: () => false }
