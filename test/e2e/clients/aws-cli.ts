import { absence, demandProgram } from '../programs.ts'
import { awsEnvironment } from '../keys.ts'
import type { ClientKind, Place } from './store-client.ts'

export const awsCliPath = '/usr/bin/aws'

/** The old releases that Debian has know no `AWS_ENDPOINT_URL`: without the option they would ask the real AWS. */
export function aws({ endpoint, keys, dir }: Place, args: readonly string[], input?: Buffer) {
  const env = { ...awsEnvironment(keys), AWS_PAGER: '', HOME: dir, LC_ALL: 'C.UTF-8' }
  return demandProgram(awsCliPath, ['--endpoint-url', endpoint, '--output', 'json', ...args], {
    env,
    cwd: dir,
    ...(input === undefined ? {} : { input }),
  })
}

export const awsCli: ClientKind = {
  name: 'awscli',
  absent: absence(awsCliPath),
  missing: /\(404\)/,
  denied: /AccessDenied|\(403\)/,
  keys: 'plain',
  async open(place) {
    const s3 = (...args: readonly string[]) => aws(place, ['s3', ...args])
    const uri = (bucket: string, key: string) => `s3://${bucket}/${key}`
    return {
      async makeBucket(bucket) {
        await s3('mb', `s3://${bucket}`)
      },
      async removeBucket(bucket) {
        await s3('rb', `s3://${bucket}`)
      },
      async put(bucket, key, body) {
        await aws(place, ['s3', 'cp', '-', uri(bucket, key)], body)
      },
      get: (bucket, key) => s3('cp', uri(bucket, key), '-'),
      async list(bucket, prefix) {
        const query = ['--query', 'Contents[].Key', '--page-size', '3']
        const list = ['s3api', 'list-objects-v2', '--bucket', bucket, '--prefix', prefix, ...query]
        return (JSON.parse((await aws(place, list)).toString() || '[]') ?? []) as string[]
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
    }
  },
}
