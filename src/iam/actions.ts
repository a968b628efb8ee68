import { accessKeyActions } from './access-key-actions.ts'
import { accountActions } from './account-actions.ts'
import type { Action } from './action.ts'
import { daypassActions } from './daypass-actions.ts'
import { groupActions } from './group-actions.ts'
import { holderActions } from './holder-actions.ts'
import { ldapActions } from './ldap-actions.ts'
import { policyActions } from './policy-actions.ts'
import { providerActions } from './provider-actions.ts'
import { roleActions } from './role-actions.ts'
import { tagActions } from './tag-actions.ts'
import { tenantSessionActions } from './tenant-session-actions.ts'
import { simulateActions } from './simulate-actions.ts'
import { userActions } from './user-actions.ts'
import { whoCanActions } from './who-can.ts'

/** Everything that this face can do, by the `Action` of the wire. */
export const actions: ReadonlyMap<string, Action> = new Map([
  ...userActions,
  ...accessKeyActions,
  ...groupActions,
  ...roleActions,
  ...policyActions,
  ...holderActions,
  ...tagActions,
  ...providerActions,
  ...accountActions,
  ...simulateActions,
  ...whoCanActions,
  ...ldapActions,
  ...daypassActions,
  ...tenantSessionActions,
])
