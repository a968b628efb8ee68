import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { KubeLab, KubeObject } from '../labs/kube-lab.ts'
import { resource } from './cluster-scene.ts'
import { elementOf, type Operator, type StsAnswer } from './operator-process.ts'
import { RawConnection } from './raw/connection.ts'

/** A tenant of target `gateway` without a server behind it: enough for who only asks for credentials. */
export async function sealedTenant(
  lab: KubeLab,
  namespace: string,
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const id = 'b'.repeat(16)
  const stringData = { active: id, [id]: randomBytes(32).toString('base64') }
  await lab.apply('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${name}-keys`, namespace },
    stringData,
  })
  const target = { gateway: { sessionKeysSecretRef: { name: `${name}-keys` } } }
  await lab.apply('tenants', resource('Tenant', namespace, name, { target, ...spec }))
}

/**
 * What the definition of the MinIO Operator admits and ours does not (operator-sts.md, section 3): nothing but the names
 * of its fields is demanded, and `spec` not even there.
 */
export function loosePolicyBindings(): KubeObject {
  const text = { type: 'string' }
  const spec = {
    type: 'object',
    required: ['application', 'policies'],
    properties: {
      application: {
        type: 'object',
        required: ['namespace', 'serviceaccount'],
        properties: { namespace: text, serviceaccount: text },
      },
      policies: { type: 'array', items: text },
    },
  }
  const usage = {
    type: 'object',
    nullable: true,
    properties: { authotizations: { type: 'integer', format: 'int64' } },
  }
  const status = {
    type: 'object',
    required: ['currentState', 'usage'],
    properties: { currentState: text, usage },
  }
  const openAPIV3Schema = {
    type: 'object',
    properties: { apiVersion: text, kind: text, metadata: { type: 'object' }, spec, status },
  }
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    subresources: { status: {} },
    schema: { openAPIV3Schema },
  })
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'policybindings.sts.min.io' },
    spec: {
      group: 'sts.min.io',
      scope: 'Namespaced',
      names: {
        kind: 'PolicyBinding',
        listKind: 'PolicyBindingList',
        plural: 'policybindings',
        singular: 'policybinding',
        shortNames: ['policybinding'],
      },
      versions: [version('v1alpha1', false), version('v1beta1', true)],
    },
  }
}

type Counted = Readonly<{ resource: string; verbs?: readonly string[]; codes?: readonly string[] }>

/** How many requests of that kind the API server has answered since it started, by its own count. */
export async function requestsTo(lab: KubeLab, wanted: Counted): Promise<number> {
  const { body } = await lab.ask('/metrics')
  let count = 0
  for (const line of String(body['text']).split('\n')) {
    const [, labels = '', value] = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line) ?? []
    if (value === undefined) continue
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
    const fits =
      label('resource') === wanted.resource &&
      (wanted.verbs?.includes(label('verb')) ?? true) &&
      (wanted.codes?.includes(label('code')) ?? true)
    if (fits) count += Number(value)
  }
  return count
}

/** Until the result is called, the API server takes connections and answers nothing. */
export function freezeApiServer(lab: KubeLab): () => void {
  const [pid] = readFileSync(join(lab.dir, 'apiserver.pid'), 'utf8').split(' ')
  process.kill(Number(pid), 'SIGSTOP')
  return () => process.kill(Number(pid), 'SIGCONT')
}

/** The code of an answer: `200`, or such as `403 AccessDenied`. */
export function verdictOf(answer: StsAnswer): string {
  const json = /"code":"([^"]*)"/.exec(answer.text)?.[1]
  return `${answer.status} ${elementOf(answer, 'Code') || (json ?? '')}`.trim()
}

/** The form that boto and minio-go post. */
export function exchangeForm(token: string): string {
  return `Version=2011-06-15&Action=AssumeRoleWithWebIdentity&WebIdentityToken=${token}`
}

/** A connection on which anything can be sent; `from`: another address of loopback, for another source. */
export async function openTls(
  { endpoint, caFile }: Pick<Operator, 'endpoint' | 'caFile'>,
  from?: string,
): Promise<RawConnection> {
  const { hostname, port } = new URL(endpoint)
  const socket = connect({
    host: hostname,
    port: Number(port),
    ca: readFileSync(caFile),
    ...(from !== undefined && { localAddress: from }),
  })
  await once(socket, 'secureConnect')
  return RawConnection.over(socket)
}

/** The head of a form, as bytes: its body may come later, or never. */
export function formHead(path: string, length: number): string {
  const type = 'content-type: application/x-www-form-urlencoded'
  return `POST ${path} HTTP/1.1\r\nhost: sts\r\n${type}\r\ncontent-length: ${length}\r\n\r\n`
}
