import { groupArn, roleArn, userArn } from './arn.ts'
import type { Permission } from './types.ts'

export function onUser(action: string, name: string): readonly Permission[] {
  return on(action, userArn(name))
}

export function onGroup(action: string, name: string): readonly Permission[] {
  return on(action, groupArn(name))
}

export function onRole(action: string, name: string): readonly Permission[] {
  return on(action, roleArn(name))
}

export function on(action: string, resource: string): readonly Permission[] {
  return [{ action: `iam:${action}`, resource }]
}

/** For what concerns nothing in particular. */
export function onAll(action: string): readonly Permission[] {
  return on(action, '*')
}
