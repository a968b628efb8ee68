import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { absence, demandProgram } from '../programs.ts'
import { region } from '../keys.ts'
import type { ClientKind, Place } from './store-client.ts'

export const s3cmdPath = '/usr/bin/s3cmd'

export async function s3cmd({ endpoint, keys, dir }: Place, args: readonly string[]) {
  const { host } = new URL(endpoint)
  const settings = {
    access_key: keys.accessKeyId,
    secret_key: keys.secretAccessKey,
    access_token: keys.sessionToken,
    host_base: host,
    host_bucket: host,
    bucket_location: region,
    use_https: 'False',
    multipart_chunk_size_mb: '5',
    progress_meter: 'False',
    max_retries: '1',
  }
  const config = join(dir, 's3cmd.conf')
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  await writeFile(config, `[default]\n${lines.join('')}`, { mode: 0o600 })
  return demandProgram(s3cmdPath, [`--config=${config}`, ...args], {
    env: { LC_ALL: 'C.UTF-8', HOME: dir },
    cwd: dir,
  })
}

export const s3cmdClient: ClientKind = {
  name: 's3cmd',
  absent: absence(s3cmdPath),
  missing: /does not exist/,
  denied: /\(AccessDenied\)|403/,
  keys: 'plain',
  async open(place) {
    const uri = (bucket: string, key: string) => `s3://${bucket}/${key}`
    return {
      async makeBucket(bucket) {
        await s3cmd(place, ['mb', `s3://${bucket}`])
      },
      async removeBucket(bucket) {
        await s3cmd(place, ['rb', `s3://${bucket}`])
      },
      async put(bucket, key, body) {
        const file = join(place.dir, randomUUID())
        await writeFile(file, body)
        await s3cmd(place, ['put', file, uri(bucket, key)])
      },
      async get(bucket, key) {
        const file = join(place.dir, randomUUID())
        await s3cmd(place, ['get', uri(bucket, key), file])
        return readFile(file)
      },
      async list(bucket, prefix) {
        const out = await s3cmd(place, ['ls', '--recursive', uri(bucket, prefix)])
        return [...out.toString().matchAll(/ s3:\/\/[^/]+\/(.*)$/gm)].map(([, key]) => key ?? '')
      },
      async copy(bucket, from, to) {
        await s3cmd(place, ['cp', uri(bucket, from), uri(bucket, to)])
      },
      async remove(bucket, key) {
        await s3cmd(place, ['del', uri(bucket, key)])
      },
      async upload(dir, bucket, prefix) {
        await s3cmd(place, ['put', '--recursive', `${dir}/`, uri(bucket, prefix)])
      },
      async download(bucket, prefix, dir) {
        await mkdir(dir, { recursive: true })
        await s3cmd(place, ['get', '--recursive', uri(bucket, prefix), `${dir}/`])
      },
    }
  },
}
