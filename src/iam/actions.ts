import { accessKeyActions } from './access-key-actions.ts'
import type { Action } from './action.ts'
import { daypassActions } from './daypass-actions.ts'
import { policyActions } from './policy-actions.ts'
import { userActions } from './user-actions.ts'

/** Everything that this face can do, by the `Action` of the wire. */
export const actions: ReadonlyMap<string, Action> = new Map([
  ...userActions,
  ...accessKeyActions,
  ...policyActions,
  ...daypassActions,
])
