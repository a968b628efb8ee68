import type { ClusterDirectory } from '../directory.ts'
import type { ResourceProblem } from '../resources/parsed.ts'

/** What is to be said of a resource. With problems it does not count; warnings say what was probably not meant. */
export type Judgement = Readonly<{
  problems: readonly ResourceProblem[]
  warnings: readonly ResourceProblem[]
}>

/** What a resource is judged by, beside itself. */
export type Surroundings = Readonly<{
  /** Tenants, policies and bindings as they are; the judged one may be among them, or an older state of it. */
  directory: ClusterDirectory
  /** The cluster that all this lives in. */
  homeCluster: string
  /** Names of the clusters whose pods may come. Absent: not known. */
  clusters?: readonly string[] | undefined
  /** That a tenant is not in the directory means that there is none. Absent: yes. */
  knowsTenants?: boolean
  /** Whether labels of namespaces and service accounts are looked at. */
  labelSelectors: boolean
  /** There is no time left: what has not been looked at is said to be so. */
  isLate(): boolean
}>

export function warning(path: string, message: string): ResourceProblem {
  return { path, message }
}

/** `spec.subjects.0 is …`: a sentence for people. */
export function sentenceOf({ path, message }: ResourceProblem): string {
  return path === '' ? message : `${path}: ${message}`
}
