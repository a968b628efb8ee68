import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, parseAllDocuments } from 'yaml'
import type { KubeObject } from '../labs/kube-lab.ts'

export const deploy = resolve(import.meta.dirname, '../../deploy')

/** A JSON Schema, as far as Kubernetes takes it. */
export type Schema = Readonly<{
  description?: string
  properties?: Readonly<Record<string, Schema>>
  additionalProperties?: Schema
  items?: Schema
}>

export type Crd = KubeObject &
  Readonly<{
    spec: Readonly<{
      group: string
      names: Readonly<{ plural: string }>
      versions: readonly Readonly<{
        name: string
        served: boolean
        storage: boolean
        schema: Readonly<{ openAPIV3Schema: Schema }>
      }>[]
    }>
  }>

export type Outcome = Readonly<{ status: number; stdout: string; stderr: string }>

/** Runs helm or kubectl; any exit status is an outcome. */
export type Tools = Readonly<{
  /** The folder of both. */
  bin: string
  helm(...words: readonly string[]): Promise<Outcome>
  kubectl(...words: readonly string[]): Promise<Outcome>
}>

/** Or why they cannot be had here. */
export function getTools(kubeconfig?: string): Tools | string {
  let bin: string
  try {
    bin = execFileSync(join(deploy, 'tools/get'), { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
    return `no helm and kubectl: ${stderr.trim().split('\n').at(-1) || String(error)}`
  }
  const env = { ...process.env, KUBECONFIG: kubeconfig ?? '/nonexistent', HELM_NO_PLUGINS: '1' }
  const start = (program: string, words: readonly string[]): Promise<Outcome> =>
    new Promise((answer) => {
      const options = { env, maxBuffer: 64 * 1024 * 1024, timeout: 120_000 }
      execFile(join(bin, program), words, options, (error, stdout, stderr) => {
        const status = typeof error?.code === 'number' ? error.code : error ? 1 : 0
        answer({ status, stdout, stderr })
      })
    })
  return {
    bin,
    helm: (...words) => start('helm', words),
    kubectl: (...words) => start('kubectl', words),
  }
}

/** The objects of a text with several documents. Throws where it is no YAML. */
export function readManifests(text: string): readonly KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [problem] = document.errors
    if (problem) throw problem
    const value = document.toJS() as KubeObject | null
    return value === null ? [] : [value]
  })
}

/** The definitions in `deploy/crds`. */
export function readCrds(): readonly Crd[] {
  const folder = join(deploy, 'crds')
  return readdirSync(folder)
    .toSorted()
    .map((name) => parse(readFileSync(join(folder, name), 'utf8')) as Crd)
}

/** Throws with what the program said when it failed. */
export function must({ status, stdout, stderr }: Outcome): string {
  if (status === 0) return stdout
  throw new Error(`exit status ${status}: ${stderr.trim() || stdout.trim()}`)
}
