import { CliError } from '../cli-error.ts'
import type { Output } from '../context.ts'
import { printable } from '../printable.ts'
import type { FoundObject, ReadFiles } from './read-resources.ts'

type Finding = Readonly<{ line: number; path: string; message: string }>

type Judged = Readonly<{
  file: string
  line: number
  kind: string
  namespace: string
  name: string
  problems: readonly Finding[]
  warnings: readonly Finding[]
}>

/** Where a cluster has no name of its own yet, as the operator calls it. */
const homeCluster = 'local'

/**
 * What admission would say of the resources if just these were in a cluster. Objects of other kinds are passed over.
 * @param namespace of those that name none
 */
export async function lintResources(
  { objects, bad, others }: ReadFiles,
  namespace: string,
): Promise<Output> {
  const { ClusterDirectory, isKubeObject, judgeResource, kindNamed } =
    await import('../../kubernetes/index.ts')
  const directory = new ClusterDirectory({
    homeCluster,
    clusterDomain: 'cluster.local',
    insecureHttpTenants: true,
    watchedNamespaces: [],
    onChange: () => undefined,
  })
  const known = objects.flatMap((object) => {
    const kind = kindNamed(object.value['apiVersion'], object.value['kind'])
    return kind === undefined ? [] : [{ kind, object, value: inNamespace(object, namespace) }]
  })
  for (const { kind, value } of known) {
    if (isKubeObject(value)) directory.targetFor(kind).put(value)
  }
  const surroundings = {
    directory,
    homeCluster,
    knowsTenants: directory.tenants().length > 0,
    labelSelectors: true,
    isLate: () => false,
  }
  const seen = new Map<string, string>()
  const judged = known.flatMap(({ kind, object, value }): Judged[] => {
    if (kind === 'MinioTenant') return []
    const { problems, warnings } = judgeResource(kind, value, surroundings)
    const name = nameOf(value)
    const twin = twinOf(`${kind}/${name.namespace}/${name.name}`, object, seen)
    const place = (found: readonly Readonly<{ path: string; message: string }>[]) =>
      found.map((each) => ({ line: object.lineOf(each.path), ...each }))
    return [
      {
        file: object.file,
        line: object.lineOf(''),
        kind,
        ...name,
        problems: place([...problems, ...twin]),
        warnings: place(warnings),
      },
    ]
  })
  return report(judged, bad, others + objects.length - known.length)
}

function inNamespace({ value }: FoundObject, namespace: string): Readonly<Record<string, unknown>> {
  const { metadata } = value
  if (typeof metadata !== 'object' || metadata === null || 'namespace' in metadata) return value
  return { ...value, metadata: { ...metadata, namespace } }
}

function nameOf({ metadata }: Readonly<Record<string, unknown>>) {
  const text = (name: string) => {
    const value: unknown = Object.getOwnPropertyDescriptor(Object(metadata), name)?.value
    return typeof value === 'string' ? value : ''
  }
  return { namespace: text('namespace'), name: text('name') }
}

/** A second one would replace the first, which the file does not show. */
function twinOf(id: string, { file, lineOf }: FoundObject, seen: Map<string, string>) {
  const first = seen.get(id)
  if (first !== undefined) return [{ path: 'metadata.name', message: `stands in ${first} already` }]
  seen.set(id, `${file}:${lineOf('')}`)
  return []
}

function report(judged: readonly Judged[], bad: ReadFiles['bad'], ignored: number): Output {
  if (judged.length + bad.length === 0) {
    throw new CliError(
      'invalid',
      'There is no PolicyBinding, Binding, Policy or Tenant of Daypass in these files',
    )
  }
  const broken = judged.filter(({ problems }) => problems.length > 0).length + bad.length
  const warnings = judged.reduce((sum, each) => sum + each.warnings.length, 0)
  const lines = [
    ...bad.map(({ file, line, message }) => `${file}:${line}: error: ${message}`),
    ...judged.flatMap(linesOf),
    `${count(judged.length + bad.length, 'resource')}: ${broken} not valid, ${count(warnings, 'warning')}`,
  ]
  const value = { valid: broken === 0, resources: judged, unreadable: bad, ignored }
  const text = lines.map(printable).join('\n')
  if (broken === 0) return { value, text }
  return { value, text, failure: new CliError('invalid', 'Not all of this is valid') }
}

function linesOf({ file, kind, namespace, name, problems, warnings }: Judged): readonly string[] {
  const whose = `${kind} ${namespace}/${name}`
  const line = (word: string) => (found: Finding) => {
    const path = found.path === '' ? '' : `${found.path}: `
    return `${file}:${found.line}: ${word}: ${whose}: ${path}${found.message}`
  }
  return [...problems.map(line('error')), ...warnings.map(line('warning'))]
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
