import type { CarriedPolicies, CarriedPolicy } from './policies.ts'
import type { Kind } from './report.ts'
import type { Task } from './task.ts'

/** The policies of a mapping, as far as they are to be attached. */
export type Resolved = Readonly<{
  /** Those that may deny come first: a run that breaks off must not leave somebody with the others alone. */
  policies: readonly Readonly<{ name: string; arn: string }>[]
  mayDeny: boolean
  /** Present: nothing of it may be attached. */
  conflict?: string
}>

/** Looks up what a mapping names, and reports what is not there. */
export function resolve(
  { report }: Task,
  kind: Kind,
  holder: string,
  names: readonly string[],
  carried: CarriedPolicies,
): Resolved {
  const found = names.map((name): CarriedPolicy => carried.get(name) ?? unknown(name))
  for (const policy of found) {
    if (policy.kind !== 'here') report.remark(kind, holder, 'left', policy.reason)
  }
  const here = found.filter((policy) => policy.kind === 'here')
  const conflict = found.find((policy) => policy.kind === 'conflict')
  return {
    policies: here.sort((a, b) => Number(b.mayDeny) - Number(a.mayDeny)),
    mayDeny: here.some(({ mayDeny }) => mayDeny),
    ...(conflict && { conflict: conflict.reason }),
  }
}

/** What a holder has here and not in the archive is left, since an administrator may have given it. But it is said. */
export function noteExtras(
  { report }: Task,
  kind: Kind,
  holder: string,
  here: ReadonlySet<string>,
  names: readonly string[],
  carried: CarriedPolicies,
): void {
  const wanted = new Set(names.map((name) => hereNameOf(carried.get(name)) ?? name))
  const extras = [...here].filter((name) => !wanted.has(name))
  if (extras.length > 0) report.note(kind, holder, `has besides here: ${extras.join(', ')}`)
}

function hereNameOf(policy: CarriedPolicy | undefined): string | undefined {
  return policy?.kind === 'here' ? policy.name : undefined
}

/** A policy of this name that is here for another reason is not what MinIO gave, which was nothing. */
function unknown(name: string): CarriedPolicy {
  return {
    kind: 'lost',
    reason: `policy "${name}" is not in the archive; MinIO passed over it as well`,
  }
}
