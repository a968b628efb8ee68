import { BoundedCache } from '../bounded-cache.ts'
import type {
  BindingSubject,
  BoundSubject,
  LabelSelector,
  ServiceAccountBinding,
  Tenant,
} from './tenants.ts'

type Names = Pick<BoundSubject, 'cluster' | 'namespace' | 'serviceAccount'>
type Filed = Readonly<{
  binding: ServiceAccountBinding
  subject: BindingSubject
  fitsNames(names: Names): boolean
}>

/** How many service accounts are remembered with the bindings whose names fit them. */
const cacheSize = 10_000

/**
 * The bindings of a cluster, found by who asks. Each subject of a binding lies in one drawer, by what its names begin with
 * in plain letters, so that ten thousand patterns are not tried one after the other; what fits is remembered for each service
 * account until the index changes.
 */
export class BindingIndex {
  readonly #homeCluster: string
  readonly #byId = new Map<string, readonly Filed[]>()
  /** By the tenant's namespace, then by the label of the drawer. */
  readonly #drawers = new Map<string, Map<string, Set<Filed>>>()
  #byNames = new BoundedCache<readonly Filed[]>(cacheSize)

  /** @param homeCluster the cluster that is meant where a binding names none */
  constructor(homeCluster: string) {
    this.#homeCluster = homeCluster
  }

  get size(): number {
    return this.#byId.size
  }

  /** Takes the place of the binding of the same id. */
  put(binding: ServiceAccountBinding): void {
    this.delete(binding.id)
    const all = binding.subjects.map((subject) => {
      const fitsNames = compileNames(subject, this.#homeCluster)
      return { binding, subject, fitsNames }
    })
    this.#byId.set(binding.id, all)
    for (const filed of all) this.#drawer(filed).add(filed)
  }

  delete(id: string): void {
    for (const filed of this.#byId.get(id) ?? []) {
      this.#drawer(filed).delete(filed)
      this.#sweep(filed)
    }
    this.#byId.delete(id)
  }

  /** In the order of their ids, so that the same decision reads the same each time. */
  find(
    tenant: Pick<Tenant, 'namespace' | 'name'>,
    asking: BoundSubject,
  ): readonly ServiceAccountBinding[] {
    const found = this.#named(tenant.namespace, asking)
      .filter(({ binding }) => binding.tenant === undefined || binding.tenant === tenant.name)
      .filter(({ subject }) => fitsRest(subject, asking))
      .map(({ binding }) => binding)
    return [...new Set(found)]
  }

  #named(home: string, subject: BoundSubject): readonly Filed[] {
    const { cluster, namespace, serviceAccount } = subject
    const account = `${namespace}/${serviceAccount}`
    const key = `${home}|${cluster}|${account}`
    const known = this.#byNames.get(key)
    if (known) return known
    const drawers = this.#drawers.get(home)
    const candidates = drawers
      ? labelsFor(namespace, serviceAccount).flatMap((label) => [...(drawers.get(label) ?? [])])
      : []
    const found = candidates
      .filter((filed) => filed.fitsNames({ cluster, namespace, serviceAccount }))
      .toSorted((a, b) => (a.binding.id < b.binding.id ? -1 : 1))
    this.#byNames.set(key, found)
    return found
  }

  #drawer({ binding: { namespace }, subject }: Filed): Set<Filed> {
    this.#byNames = new BoundedCache(cacheSize)
    const drawers = getOrMake(this.#drawers, namespace, () => new Map<string, Set<Filed>>())
    return getOrMake(drawers, labelOf(subject), () => new Set())
  }

  /** Leaves no empty drawers behind. */
  #sweep({ binding: { namespace }, subject }: Filed): void {
    const drawers = this.#drawers.get(namespace)
    const label = labelOf(subject)
    if (drawers?.get(label)?.size === 0) drawers.delete(label)
    if (drawers?.size === 0) this.#drawers.delete(namespace)
  }
}

/** Of the two names' plain beginnings the longer one, since fewer share it; a namespace without patterns goes with either. */
function labelOf({ namespace, serviceAccount }: BindingSubject): string {
  const [home, account] = [plainBeginning(namespace), plainBeginning(serviceAccount)]
  if (!isPattern(namespace)) return `${namespace}/${account}`
  return home.length > account.length ? home : `*/${account}`
}

/** Every drawer in which something may lie that fits these names. */
function labelsFor(namespace: string, serviceAccount: string): readonly string[] {
  const whole = `${namespace}/${serviceAccount}`
  const labels: string[] = []
  for (let end = 1; end <= whole.length; end += 1) labels.push(whole.slice(0, end))
  for (let end = 0; end <= serviceAccount.length; end += 1) {
    labels.push(`*/${serviceAccount.slice(0, end)}`)
  }
  return labels
}

function plainBeginning(pattern: string): string {
  const star = pattern.indexOf('*')
  return star < 0 ? pattern : pattern.slice(0, star)
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

function isPattern(text: string): boolean {
  return text.includes('*')
}

function compileNames(subject: BindingSubject, homeCluster: string): (names: Names) => boolean {
  const cluster = compilePattern(subject.cluster ?? homeCluster)
  const namespace = compilePattern(subject.namespace)
  const serviceAccount = compilePattern(subject.serviceAccount)
  return (names) =>
    namespace(names.namespace) && serviceAccount(names.serviceAccount) && cluster(names.cluster)
}

/** `*` is any run of characters, none included; all else is itself. Empty matches nothing. */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern === '') return () => false
  if (!isPattern(pattern)) return (text) => text === pattern
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop() ?? ''
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false
    // The leftmost place for each part is as good as any other, so there is no way back to try.
    let from = first.length
    for (const part of rest) {
      const at = text.indexOf(part, from)
      if (at < 0) return false
      from = at + part.length
    }
    return text.length - last.length >= from
  }
}

function fitsRest(wanted: BindingSubject, subject: BoundSubject): boolean {
  return (
    fitsSelector(wanted.namespaceSelector, subject.namespaceLabels) &&
    fitsSelector(wanted.serviceAccountSelector, subject.serviceAccountLabels) &&
    [...(wanted.claims ?? [])].every(([name, patterns]) =>
      fitsClaim(subject.claims.get(name), patterns),
    )
  )
}

/** Labels that are not known fit no selector: not even one that only forbids. */
function fitsSelector(
  selector: LabelSelector | undefined,
  labels: ReadonlyMap<string, string> | undefined,
): boolean {
  if (selector === undefined) return true
  if (labels === undefined || selector.length === 0) return false
  return selector.every(({ key, operator, values }) => {
    const value = labels.get(key)
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
    }
    return operator satisfies never
  })
}

/** A list fits when one of its texts does. What is no text fits nothing. */
function fitsClaim(claim: unknown, patterns: readonly string[]): boolean {
  const texts = [claim].flat().filter((value): value is string => typeof value === 'string')
  return patterns.some((pattern) => texts.some(compilePattern(pattern)))
}
