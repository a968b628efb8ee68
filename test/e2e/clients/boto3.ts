import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { cleanEnvironment } from '../daypass-server.ts'
import { awsEnvironment } from '../keys.ts'
import { missingModule, python } from '../programs.ts'
import type { ClientKind, Place, StoreClient } from './store-client.ts'

const script = join(import.meta.dirname, 'boto3-client.py')

/** One Python process that does what it is told, line by line: starting one for each call would take most of the time. */
export type Boto3 = Readonly<{
  call(operation: string, fields?: Readonly<Record<string, unknown>>): Promise<unknown>
  close(): Promise<void>
}>

export function startBoto3({ endpoint, keys, dir }: Place): Boto3 {
  const env = { ...cleanEnvironment(), ...awsEnvironment(keys), HOME: dir }
  const child = spawn(python, [script, endpoint], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async call(operation, fields = {}) {
      child.stdin.write(`${JSON.stringify({ operation, ...fields })}\n`)
      const answer = JSON.parse((await lines.next()).value ?? '{"error":"boto3 ended"}')
      if (answer.error !== undefined) throw new Error(answer.error)
      return answer.value
    },
    async close() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

export const boto3: ClientKind = {
  name: 'boto3',
  absent: missingModule('boto3'),
  missing: /NoSuchKey/,
  denied: /AccessDenied|\(403\)/,
  keys: 'any',
  async open(place) {
    const { call, close } = startBoto3(place)
    const tell = async (operation: string, fields: Readonly<Record<string, unknown>>) => {
      await call(operation, fields)
    }
    return {
      makeBucket: (bucket) => tell('make_bucket', { bucket }),
      removeBucket: (bucket) => tell('remove_bucket', { bucket }),
      put: (bucket, key, body) => tell('put', { bucket, key, body: body.toString('base64') }),
      get: async (bucket, key) => Buffer.from(String(await call('get', { bucket, key })), 'base64'),
      list: async (bucket, prefix) => (await call('list', { bucket, prefix })) as string[],
      copy: (bucket, from, to) => tell('copy', { bucket, source: from, key: to }),
      remove: (bucket, key) => tell('remove', { bucket, key }),
      linkTo: async (bucket, key) => String(await call('link', { bucket, key })),
      close,
    } satisfies StoreClient
  },
}
