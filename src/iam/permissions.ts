import { groupArn, roleArn, userArn } from './arn.ts'
import type { About, Permission } from './types.ts'

export function onUser(action: string, name: string, about?: About): readonly Permission[] {
  return on(action, userArn(name), about)
}

export function onGroup(action: string, name: string, about?: About): readonly Permission[] {
  return on(action, groupArn(name), about)
}

export function onRole(action: string, name: string, about?: About): readonly Permission[] {
  return on(action, roleArn(name), about)
}

export function on(action: string, resource: string, about?: About): readonly Permission[] {
  return [{ action: `iam:${action}`, resource, ...(about && { about }) }]
}

/** For what concerns nothing in particular. */
export function onAll(action: string): readonly Permission[] {
  return on(action, '*')
}

/** For something that the call makes, with the tags and the boundary that it gives to it. */
export function onNew(
  resource: string,
  actions: Readonly<{ create: string; tag: string; bound?: string }>,
  { tags, permissionsBoundary }: Pick<About, 'tags' | 'permissionsBoundary'>,
): readonly Permission[] {
  const about: About = {
    isNew: true,
    ...(tags && tags.size > 0 && { tags }),
    ...(permissionsBoundary !== undefined && { permissionsBoundary }),
  }
  return [
    ...on(actions.create, resource, about),
    ...(actions.bound !== undefined && permissionsBoundary !== undefined
      ? on(actions.bound, resource, about)
      : []),
    ...(about.tags === undefined ? [] : on(actions.tag, resource, about)),
  ]
}
