import type { Config } from './load.ts'

/** Whether there is a policy, or a role, of this name: in the file, built in, or made at run time. */
export type KnownNames = Readonly<{
  policy(name: string): boolean
  role(name: string): boolean
}>

type Use = Readonly<{ path: string; kind: 'policy' | 'role'; name: string }>

/**
 * What the configuration names and nobody has made, as lines to be said at start-up. No problem: it may be made later, and
 * denies until then. But a slip in a name would else be found out by those who are kept out.
 */
export function missingNames(config: Config, known: KnownNames): readonly string[] {
  return uses(config)
    .filter(({ kind, name }) => !known[kind](name))
    .map(
      ({ path, kind, name }) =>
        `${path} names the ${kind} "${name}", which there is not: it denies until it is made`,
    )
}

function uses({ overlay, openid, customTokens, certificates, ceiling }: Config): readonly Use[] {
  const { users, groups = [], roles = [] } = overlay
  const boundaries = roles.flatMap(({ name, permissionsBoundary }) =>
    policies(`roles.${name}.permissionsBoundary`, permissionsBoundary && [permissionsBoundary]),
  )
  const rules = certificates?.rules.flatMap((rule, index): readonly Use[] => {
    const path = `certificates.rules.${index}`
    if ('role' in rule && rule.role !== undefined) {
      return [{ path: `${path}.role`, kind: 'role', name: rule.role }]
    }
    return policies(`${path}.policies`, 'policies' in rule ? rule.policies : undefined)
  })
  return [
    ...users.flatMap(({ name, policies: names }) => policies(`users.${name}.policies`, names)),
    ...groups.flatMap(({ name, policies: names }) => policies(`groups.${name}.policies`, names)),
    ...roles.flatMap(({ name, policies: names }) => policies(`roles.${name}.policies`, names)),
    ...boundaries,
    ...openid.flatMap(({ rolePolicy }, index) =>
      policies(`openid.${index}.rolePolicy`, rolePolicy),
    ),
    ...customTokens.flatMap(({ rolePolicy }, index) =>
      policies(`customTokens.${index}.rolePolicy`, rolePolicy),
    ),
    ...(rules ?? []),
    ...policies('ceiling', ceiling),
  ]
}

function policies(path: string, names: readonly string[] | '' | undefined): readonly Use[] {
  return (names || []).map((name) => ({ path, kind: 'policy', name }))
}
