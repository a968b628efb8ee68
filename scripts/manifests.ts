/**
 * What of `deploy/` follows from the rest: the charts' copies of the definitions, the tables of values in their READMEs,
 * and kustomize's base and overlays, which are what the chart gives. `npm run manifests` writes it, a test holds it fresh.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { parseAllDocuments, stringify } from 'yaml'
import { valuesTable } from './values-table.ts'

const deploy = resolve(import.meta.dirname, '../deploy')
const head = '# Made from deploy/helm/daypass-operator by npm run manifests; do not edit.\n'
const namespace = 'daypass-operator'

/** What is not the default, in the overlays that differ from the base in more than a namespace. */
export const overlays: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  least: { features: { minioTenants: false, labelSelectors: false, status: false } },
  'cert-manager': { certificate: { requestAutoCert: false, certManager: { enabled: true } } },
}

type Labels = Readonly<Record<string, string>>
export type KubernetesObject = Readonly<{
  apiVersion: string
  kind: string
  metadata: Readonly<{ name: string; namespace?: string; labels?: Labels; annotations?: Labels }>
  spec?: Readonly<Record<string, unknown>>
}> &
  Readonly<Record<string, unknown>>

/** Text by path below `deploy/`. `bin`: the folder of helm, as `deploy/tools/get` says. */
export function freshFiles(bin: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const name of readdirSync(join(deploy, 'crds'))) {
    files.set(`helm/daypass-operator/files/crds/${name}`, read(`crds/${name}`))
  }
  for (const chart of ['daypass-operator', 'daypass-tenant']) {
    files.set(`helm/${chart}/README.md`, valuesTable(join(deploy, 'helm', chart)))
  }
  const base = render(bin, {})
  const isCrd = ({ kind }: KubernetesObject) => kind === 'CustomResourceDefinition'
  files.set('kustomize/base/crds.yaml', textOf(base.filter(isCrd)))
  files.set('kustomize/base/operator.yaml', textOf(base.filter((object) => !isCrd(object))))
  for (const [name, values] of Object.entries(overlays)) {
    for (const [file, text] of overlay(base, render(bin, values)))
      files.set(`kustomize/overlays/${name}/${file}`, text)
  }
  return files
}

/** The objects of the chart, without what only Helm means something to. */
export function render(
  bin: string,
  values: Readonly<Record<string, unknown>>,
  release = namespace,
): readonly KubernetesObject[] {
  const chart = join(deploy, 'helm/daypass-operator')
  const words = ['template', 'daypass-operator', chart, '--namespace', release, '--values', '-']
  const text = execFileSync(join(bin, 'helm'), words, {
    input: stringify(values),
    encoding: 'utf8',
    env: { ...process.env, KUBECONFIG: '/nonexistent' },
    maxBuffer: 64 * 1024 * 1024,
  })
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject)
  return objects.filter((object) => object !== null).map(withoutHelm)
}

function withoutHelm(object: KubernetesObject): KubernetesObject {
  const { metadata, spec } = object
  const template = spec?.['template'] as KubernetesObject | undefined
  return {
    ...object,
    metadata: plain(metadata),
    ...(template?.metadata && {
      spec: { ...spec, template: { ...template, metadata: plain(template.metadata) } },
    }),
  }
}

function plain(metadata: KubernetesObject['metadata']): KubernetesObject['metadata'] {
  const { labels, annotations, ...rest } = metadata
  const isForHelm = (name: string) =>
    name === 'app.kubernetes.io/managed-by' || name.startsWith('helm.sh/')
  const kept = (all: Labels = {}) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !isForHelm(name)))
  const [left, noted] = [kept(labels), kept(annotations)]
  return {
    ...rest,
    ...(Object.keys(left).length > 0 && { labels: left }),
    ...(Object.keys(noted).length > 0 && { annotations: noted }),
  }
}

/** A kustomization over the base: what goes, what differs, what comes. */
function overlay(
  base: readonly KubernetesObject[],
  wanted: readonly KubernetesObject[],
): readonly (readonly [string, string])[] {
  const nameOf = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata.name}`
  const [before, after] = [base, wanted].map((all) => new Map(all.map((one) => [nameOf(one), one])))
  const gone = base.filter((one) => !after?.has(nameOf(one)))
  const come = wanted.filter((one) => !before?.has(nameOf(one)))
  const differ = wanted.filter((one) => {
    const old = before?.get(nameOf(one))
    return old !== undefined && !isDeepStrictEqual(old, one)
  })
  const patches = [
    ...gone.map(({ apiVersion, kind, metadata: { name, namespace: place } }) => ({
      $patch: 'delete',
      apiVersion,
      kind,
      metadata: { name, ...(place !== undefined && { namespace: place }) },
    })),
    ...differ,
  ]
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['../../base', ...(come.length > 0 ? ['resources.yaml'] : [])],
    patches: [{ path: 'patches.yaml' }],
  }
  return [
    ['kustomization.yaml', head + stringify(kustomization)],
    ['patches.yaml', textOf(patches)],
    ...(come.length > 0 ? [['resources.yaml', textOf(come)] as const] : []),
  ]
}

function textOf(objects: readonly unknown[]): string {
  const written = { aliasDuplicateObjects: false, lineWidth: 100 }
  return head + objects.map((object) => stringify(object, written)).join('---\n')
}

function read(path: string): string {
  return readFileSync(join(deploy, path), 'utf8')
}

/** The paths whose text is another one than it should be, or missing. */
export function stalePaths(files: ReadonlyMap<string, string>): readonly string[] {
  return [...files].flatMap(([path, text]) => {
    try {
      return isSame(path, read(path), text) ? [] : [path]
    } catch {
      return [path]
    }
  })
}

/** The formatter may lay YAML out in its own way. */
function isSame(path: string, present: string, fresh: string): boolean {
  if (!path.endsWith('.yaml')) return present === fresh
  const values = (text: string) =>
    parseAllDocuments(text).map((document): unknown => document.toJS())
  return isDeepStrictEqual(values(present), values(fresh))
}

if (process.argv[1] === import.meta.filename) {
  const bin = execFileSync(join(deploy, 'tools/get'), { encoding: 'utf8' }).trim()
  for (const [path, text] of freshFiles(bin)) {
    mkdirSync(dirname(join(deploy, path)), { recursive: true })
    writeFileSync(join(deploy, path), text)
  }
}
