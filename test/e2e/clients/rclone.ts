import { absence, demandProgram } from '../programs.ts'
import { region } from '../keys.ts'
import type { ClientKind, Place } from './store-client.ts'

export const rclonePath = '/usr/bin/rclone'

/** `cleanEnvironment` takes `AWS_CA_BUNDLE` away, with which rclone 1.60 says "unsupported transport". */
export function rclone({ endpoint, keys, dir }: Place, args: readonly string[], input?: Buffer) {
  const remote = {
    TYPE: 's3',
    PROVIDER: 'Other',
    ENDPOINT: endpoint,
    REGION: region,
    ACCESS_KEY_ID: keys.accessKeyId,
    SECRET_ACCESS_KEY: keys.secretAccessKey,
    SESSION_TOKEN: keys.sessionToken,
  }
  const env = Object.fromEntries(
    Object.entries(remote).map(([name, value]) => [`RCLONE_CONFIG_STORE_${name}`, value]),
  )
  const parts = ['--s3-upload-cutoff', '5M', '--s3-chunk-size', '5M']
  const settings = ['--config', '/dev/null', '--retries', '1', '--low-level-retries', '1']
  return demandProgram(rclonePath, [...settings, ...parts, ...args], {
    env: { ...env, HOME: dir },
    cwd: dir,
    ...(input === undefined ? {} : { input }),
  })
}

export const rcloneClient: ClientKind = {
  name: 'rclone',
  absent: absence(rclonePath),
  // Exit code 9: nothing was transferred.
  missing: /ended with 9/,
  // What a HEAD denies it takes for absent, since the answer to a HEAD has no code.
  denied: /AccessDenied|doesn't exist/,
  keys: 'plain',
  async open(place) {
    const path = (bucket: string, key: string) => `store:${bucket}/${key}`
    return {
      async makeBucket(bucket) {
        await rclone(place, ['mkdir', `store:${bucket}`])
      },
      async removeBucket(bucket) {
        await rclone(place, ['rmdir', `store:${bucket}`])
      },
      async put(bucket, key, body) {
        await rclone(place, ['rcat', path(bucket, key)], body)
      },
      get: (bucket, key) => rclone(place, ['cat', '--error-on-no-transfer', path(bucket, key)]),
      async list(bucket, prefix) {
        const out = await rclone(place, ['lsf', '-R', '--files-only', path(bucket, prefix)])
        return out
          .toString()
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => prefix + line)
      },
      async copy(bucket, from, to) {
        await rclone(place, ['copyto', path(bucket, from), path(bucket, to)])
      },
      async remove(bucket, key) {
        await rclone(place, ['deletefile', path(bucket, key)])
      },
      async upload(dir, bucket, prefix) {
        await rclone(place, ['copy', dir, path(bucket, prefix)])
      },
      async download(bucket, prefix, dir) {
        await rclone(place, ['copy', path(bucket, prefix), dir])
      },
      async linkTo(bucket, key) {
        const out = await rclone(place, ['link', '--expire', '60s', path(bucket, key)])
        return out.toString().trim()
      },
    }
  },
}
