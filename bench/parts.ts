import type { Part } from './part.ts'
import { assumeRolePart } from './parts/assume-role.ts'
import { largeObjects, smallObjects } from './parts/objects.ts'
import { policy } from './parts/policy.ts'
import { webIdentity } from './parts/web-identity.ts'

/** In the order of the table. */
export const parts: readonly Part[] = [
  webIdentity,
  assumeRolePart,
  policy,
  smallObjects,
  largeObjects,
]
