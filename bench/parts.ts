import type { Part } from './part.ts'
import { assumeRolePart } from './parts/assume-role.ts'
import { authorisation } from './parts/authorisation.ts'
import { bindingMatch } from './parts/binding-match.ts'
import { certificate } from './parts/certificate.ts'
import { coldStart } from './parts/cold-start.ts'
import { iamWrites } from './parts/iam-writes.ts'
import { ldap } from './parts/ldap.ts'
import { manyEntities } from './parts/many-entities.ts'
import { manyPolicies } from './parts/many-policies.ts'
import { memory } from './parts/memory.ts'
import { largeObjects, smallObjects } from './parts/objects.ts'
import { operatorStart } from './parts/operator-start.ts'
import { podExchange } from './parts/pod-exchange.ts'
import { policy } from './parts/policy.ts'
import { revocation } from './parts/revocation.ts'
import { webIdentity } from './parts/web-identity.ts'

/** In the order of the table. */
export const parts: readonly Part[] = [
  webIdentity,
  assumeRolePart,
  ldap,
  certificate,
  iamWrites,
  policy,
  authorisation,
  smallObjects,
  largeObjects,
  memory,
  revocation,
  coldStart,
  manyPolicies,
  manyEntities,
  podExchange,
  operatorStart,
  bindingMatch,
]
