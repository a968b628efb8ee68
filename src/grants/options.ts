import type { GrantLimits, ProviderMapping } from './types.ts'

export type FixedRole = Extract<ProviderMapping, { kind: 'role' | 'plugin' }>
export type Providers = Readonly<{
  byName: ReadonlyMap<string, ProviderMapping>
  /** Of identity providers and of plugins. */
  byRoleArn: ReadonlyMap<string, FixedRole>
  hasClaimBased: boolean
  plugins: readonly FixedRole[]
}>

const longestSeconds = 365 * 24 * 3600

/** Throws a RangeError: the configuration asks for lifetimes that make no sense. */
export function checkLimits(limits: GrantLimits): void {
  const { minSeconds, maxSeconds, defaultSeconds, fixedSeconds = defaultSeconds } = limits
  const ordered = 1 <= minSeconds && minSeconds <= maxSeconds && maxSeconds <= longestSeconds
  if (!ordered || defaultSeconds < minSeconds || defaultSeconds > maxSeconds) {
    throw new RangeError('Session lifetimes: 1 <= min <= default <= max <= 365 days')
  }
  if (fixedSeconds < minSeconds || fixedSeconds > maxSeconds) {
    throw new RangeError('Session lifetimes: min <= fixed <= max')
  }
  if (![minSeconds, maxSeconds, defaultSeconds, fixedSeconds].every(Number.isSafeInteger)) {
    throw new RangeError('Session lifetimes are whole seconds')
  }
}

/** Throws a RangeError when two providers share a name or a role ARN: one would answer for the other. */
export function indexProviders(mappings: readonly ProviderMapping[]): Providers {
  const roles = mappings.filter((mapping) => mapping.kind !== 'claim')
  const byName = new Map(mappings.map((mapping) => [mapping.provider, mapping]))
  const byRoleArn = new Map(roles.map((role) => [role.roleArn, role]))
  if (byName.size !== mappings.length || byRoleArn.size !== roles.length || byRoleArn.has('')) {
    throw new RangeError('Providers must differ by name, and by client id when they have a role')
  }
  const plugins = roles.filter(({ kind }) => kind === 'plugin')
  return { byName, byRoleArn, hasClaimBased: roles.length < mappings.length, plugins }
}
