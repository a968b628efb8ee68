import {
  compilePattern,
  type BindingSubject,
  type LabelSelector,
  type ServiceAccountBinding,
} from '../../grants/index.ts'
import type { ResourceProblem } from '../resources/parsed.ts'
import { warning, type Surroundings } from './judgement.ts'

type Settings = Pick<Surroundings, 'homeCluster' | 'clusters' | 'labelSelectors'>

/** Subjects that are everybody, nobody, or said already. `paths` by subject. */
export function judgeSubjects(
  { subjects }: ServiceAccountBinding,
  paths: readonly string[],
  settings: Settings,
): readonly ResourceProblem[] {
  return subjects.flatMap((subject, index) => {
    const path = paths[index] ?? ''
    const unreachable = whyUnreachable(subject, settings)
    if (unreachable !== undefined) return [warning(path, `fits nobody: ${unreachable}`)]
    const wide = whyWide(subject)
    const covering = subjects.findIndex(
      (other, at) => at < index && coversSubject(other, subject, settings.homeCluster),
    )
    return [
      ...(wide === undefined ? [] : [warning(path, wide)]),
      ...(covering < 0 ? [] : [warning(path, `adds nobody: ${paths[covering]} has them already`)]),
    ]
  })
}

function whyWide({ namespace, serviceAccount, ...rest }: BindingSubject): string | undefined {
  const isFenced =
    (rest.namespaceSelector ?? rest.serviceAccountSelector ?? rest.claims) !== undefined
  if (isFenced || !isAny(namespace)) return undefined
  const where = isAny(rest.cluster ?? '') ? 'every cluster' : 'the cluster'
  if (isAny(serviceAccount)) return `is every service account of ${where}, those to come too`
  return `is for whoever can make a namespace in ${where}: there a service account can have any name`
}

function isAny(pattern: string): boolean {
  return /^\*+$/.test(pattern)
}

/** Kubernetes, object names: label for namespaces, subdomain for service accounts. */
function whyUnreachable(subject: BindingSubject, settings: Settings): string | undefined {
  const { namespace, serviceAccount, cluster } = subject
  if (!couldBe(namespace, 63, /^[a-z0-9*-]*$/)) return `no namespace is named ${namespace}`
  if (!couldBe(serviceAccount, 253, /^[a-z0-9.*-]*$/)) {
    return `no service account is named ${serviceAccount}`
  }
  const { homeCluster, clusters = [] } = settings
  const fits = compilePattern(cluster ?? homeCluster)
  if (clusters.length > 0 && !clusters.some(fits)) {
    return `there is no cluster ${cluster}; there are ${clusters.join(', ')}`
  }
  const selectors = [subject.namespaceSelector, subject.serviceAccountSelector]
  if (selectors.every((selector) => selector === undefined)) return undefined
  if (!settings.labelSelectors) return 'labels are not looked at (features.labelSelectors)'
  if (clusters.length > 0 && !fits(homeCluster))
    return `labels are known in cluster ${homeCluster} alone`
  const contradiction = selectors.flatMap((selector) => contradictionOf(selector) ?? [])[0]
  return contradiction && `its selectors contradict themselves about label ${contradiction}`
}

function couldBe(pattern: string, longest: number, characters: RegExp): boolean {
  if (!characters.test(pattern) || pattern.replaceAll('*', '').length > longest) return false
  return /^[a-z0-9*]/.test(pattern) && /[a-z0-9*]$/.test(pattern)
}

/** The key of a label of which two things are wanted that no value is. */
function contradictionOf(selector: LabelSelector | undefined): string | undefined {
  const keys = new Set(selector?.map(({ key }) => key))
  return [...keys].find((key) => {
    const rules = (selector ?? []).filter((rule) => rule.key === key)
    const wanted = rules.filter(({ operator }) => operator === 'In').map(({ values }) => values)
    const unwanted = rules
      .filter(({ operator }) => operator === 'NotIn')
      .flatMap(({ values }) => values)
    const must = wanted.length > 0 || rules.some(({ operator }) => operator === 'Exists')
    if (must && rules.some(({ operator }) => operator === 'DoesNotExist')) return true
    const [first = [], ...others] = wanted
    const left = first.filter(
      (value) => others.every((some) => some.includes(value)) && !unwanted.includes(value),
    )
    return wanted.length > 0 && left.length === 0
  })
}

/** Whoever fits the one fits the other, as far as it can be shown. */
export function coversSubject(
  wide: BindingSubject,
  narrow: BindingSubject,
  homeCluster: string,
): boolean {
  return (
    coversPattern(wide.cluster ?? homeCluster, narrow.cluster ?? homeCluster) &&
    coversPattern(wide.namespace, narrow.namespace) &&
    coversPattern(wide.serviceAccount, narrow.serviceAccount) &&
    coversSelector(wide.namespaceSelector, narrow.namespaceSelector) &&
    coversSelector(wide.serviceAccountSelector, narrow.serviceAccountSelector) &&
    coversClaims(wide.claims, narrow.claims)
  )
}

/** A pattern that takes a sign of which no name has any where the other has `*` takes all that may stand there. */
function coversPattern(wide: string, narrow: string): boolean {
  return compilePattern(wide)(narrow.replaceAll('*', '\0'))
}

/** Each of its rules stands in the other, too. */
function coversSelector(
  wide: LabelSelector | undefined,
  narrow: LabelSelector | undefined,
): boolean {
  const written = new Set(narrow?.map((rule) => JSON.stringify(rule)))
  return (wide ?? []).every((rule) => written.has(JSON.stringify(rule)))
}

function coversClaims(wide: BindingSubject['claims'], narrow: BindingSubject['claims']): boolean {
  return [...(wide ?? [])].every(([name, patterns]) => {
    const others = narrow?.get(name)
    return others?.every((other) => patterns.some((pattern) => coversPattern(pattern, other)))
  })
}
