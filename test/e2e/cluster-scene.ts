import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { parse } from 'yaml'
import type { KubeLab, KubeObject } from '../labs/kube-lab.ts'
import { startDaypass, type DaypassServer } from './daypass-server.ts'
import { s3Client } from './keys.ts'

const definitions = resolve(import.meta.dirname, '../../deploy/crds')

/** Installs the kinds as `deploy/crds` has them, and waits until they are served. */
export async function installKinds(lab: KubeLab): Promise<void> {
  for (const file of readdirSync(definitions).filter((name) => name.endsWith('.yaml'))) {
    const definition = parse(readFileSync(join(definitions, file), 'utf8')) as KubeObject
    await lab.apply('customresourcedefinitions', definition)
    const { group, names, versions } = definition['spec'] as {
      group: string
      names: { plural: string }
      versions: readonly { name: string }[]
    }
    for (const { name } of versions) await served(lab, `/apis/${group}/${name}/${names.plural}`)
  }
}

async function served(lab: KubeLab, path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await lab.ask(path)).status === 200) return
    await new Promise((resume) => setTimeout(resume, 50))
  }
  throw new Error(`${path} is not served`)
}

export function policyBinding(
  namespace: string,
  name: string,
  account: string,
  policies: readonly string[],
): KubeObject {
  const [applicationNamespace, serviceaccount] = account.split('/')
  return {
    apiVersion: 'sts.min.io/v1beta1',
    kind: 'PolicyBinding',
    metadata: { name, namespace },
    spec: { application: { namespace: applicationNamespace, serviceaccount }, policies },
  }
}

export function resource(kind: string, namespace: string, name: string, spec: unknown): KubeObject {
  return { apiVersion: 'daypass.dev/v1', kind, metadata: { name, namespace }, spec }
}

/** A Daypass server that stands for a tenant of target `gateway`, with the Secret and the Tenant that name it. */
export type GatewayTenant = Readonly<{
  server: DaypassServer
  /** The folder of shared keys, as a mounted Secret would be. */
  keysDir: string
  stop(): Promise<void>
}>

export async function startGatewayTenant(
  lab: KubeLab,
  namespace: string,
  name: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<GatewayTenant> {
  const keysDir = mkdtempSync(join(tmpdir(), 'daypass-shared-'))
  const keys = { active: 'a'.repeat(16), ['a'.repeat(16)]: randomBytes(32).toString('base64') }
  for (const [file, text] of Object.entries(keys)) writeFileSync(join(keysDir, file), text)
  await lab.apply('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${name}-session-keys`, namespace },
    data: Object.fromEntries(
      Object.entries(keys).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  })
  const sharedSessionKeys = { dir: keysDir, tenantName: `${namespace}/${name}` }
  const server = await startDaypass({ config: JSON.stringify({ sharedSessionKeys, ...config }) })
  const gateway = { sessionKeysSecretRef: { name: `${name}-session-keys` } }
  await lab.apply('tenants', resource('Tenant', namespace, name, { target: { gateway } }))
  return {
    server,
    keysDir,
    async stop() {
      await server.stop()
      rmSync(keysDir, { recursive: true })
    },
  }
}

/** A bucket with one object `hello` in it. */
export async function fillBucket(server: DaypassServer, Bucket: string): Promise<void> {
  const client = s3Client(server.endpoint, server.root)
  await client.send(new CreateBucketCommand({ Bucket }))
  await client.send(new PutObjectCommand({ Bucket, Key: 'hello', Body: 'hello, pod' }))
}
