import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { cleanEnvironment } from '../daypass-server.ts'
import { absence, missingModule, python } from '../programs.ts'
import { awsEnvironment } from '../keys.ts'
import type { ClientKind, Place } from './store-client.ts'

const program = '/usr/bin/aws'

/**
 * Debian's awscli. Most of the time of a command goes into loading it, so it is loaded once, by the Python that
 * Debian runs it with, and forked for each command.
 */
export type AwsCli = Readonly<{
  /** The command's standard output. Throws, with its standard error in the message, when it fails. */
  run(args: readonly string[], input?: Buffer): Promise<Buffer>
  close(): Promise<void>
}>

export function startAwsCli({ endpoint, keys, dir }: Place): AwsCli {
  const child = spawn(python, [join(import.meta.dirname, 'aws-cli-forks.py')], {
    env: {
      ...cleanEnvironment(),
      ...awsEnvironment(keys),
      AWS_PAGER: '',
      HOME: dir,
      LC_ALL: 'C.UTF-8',
    },
    cwd: dir,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const codes = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const [stdin, stdout, stderr] = ['in', 'out', 'error'].map((name) => join(dir, `aws-${name}`))
  // The old releases that Debian has know no AWS_ENDPOINT_URL: without the option they would ask the real AWS.
  const common = ['--endpoint-url', endpoint, '--output', 'json']
  return {
    async run(args, input = Buffer.alloc(0)) {
      await writeFile(String(stdin), input)
      child.stdin.write(
        `${JSON.stringify({ args: [...common, ...args], stdin, stdout, stderr })}\n`,
      )
      const { value: code } = await codes.next()
      if (code === '0') return readFile(String(stdout))
      throw new Error(`aws ended with ${code}: ${await readFile(String(stderr), 'utf8')}`)
    },
    async close() {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

export const awsCli: ClientKind = {
  name: 'awscli',
  absent: absence(program) || missingModule('awscli'),
  missing: /\(404\)/,
  denied: /AccessDenied|\(403\)/,
  keys: 'plain',
  async open(place) {
    const { run, close } = startAwsCli(place)
    const s3 = (...args: readonly string[]) => run(['s3', ...args])
    const uri = (bucket: string, key: string) => `s3://${bucket}/${key}`
    return {
      async makeBucket(bucket) {
        await s3('mb', `s3://${bucket}`)
      },
      async removeBucket(bucket) {
        await s3('rb', `s3://${bucket}`)
      },
      async put(bucket, key, body) {
        await run(['s3', 'cp', '-', uri(bucket, key)], body)
      },
      get: (bucket, key) => s3('cp', uri(bucket, key), '-'),
      async list(bucket, prefix) {
        const query = ['--query', 'Contents[].Key', '--page-size', '3']
        const list = ['s3api', 'list-objects-v2', '--bucket', bucket, '--prefix', prefix, ...query]
        const text = (await run(list)).toString()
        return (JSON.parse(text || '[]') ?? []) as string[]
      },
      async copy(bucket, from, to) {
        await s3('cp', uri(bucket, from), uri(bucket, to))
      },
      async remove(bucket, key) {
        await s3('rm', uri(bucket, key))
      },
      async upload(dir, bucket, prefix) {
        await s3('cp', '--recursive', dir, uri(bucket, prefix))
      },
      async download(bucket, prefix, dir) {
        await s3('cp', '--recursive', uri(bucket, prefix), dir)
      },
      async linkTo(bucket, key) {
        return (await s3('presign', uri(bucket, key), '--expires-in', '60')).toString().trim()
      },
      close,
    }
  },
}
