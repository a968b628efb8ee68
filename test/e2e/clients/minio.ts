import { buffer } from 'node:stream/consumers'
import { Client, CopyConditions } from 'minio'
import { region } from '../keys.ts'
import type { Keys } from '../keys.ts'
import type { ClientKind } from './store-client.ts'

export const minio: ClientKind = {
  name: 'minio package',
  absent: false,
  missing: /NoSuchKey/,
  denied: /AccessDenied/,
  keys: 'any',
  async open({ endpoint, keys }) {
    const client = minioClient(endpoint, keys)
    return {
      makeBucket: (bucket) => client.makeBucket(bucket, region),
      removeBucket: (bucket) => client.removeBucket(bucket),
      async put(bucket, key, body) {
        await client.putObject(bucket, key, body, body.length)
      },
      get: async (bucket, key) => buffer(await client.getObject(bucket, key)),
      list: (bucket, prefix) => namesOf(client.listObjectsV2(bucket, prefix, true)),
      async copy(bucket, from, to) {
        await client.copyObject(bucket, to, `/${bucket}/${from}`, new CopyConditions())
      },
      remove: (bucket, key) => client.removeObject(bucket, key),
      linkTo: (bucket, key) => client.presignedGetObject(bucket, key, 60),
    }
  },
}

export function minioClient(endpoint: string, keys: Keys): Client {
  const { hostname, port } = new URL(endpoint)
  return new Client({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: keys.accessKeyId,
    secretKey: keys.secretAccessKey,
    ...(keys.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken }),
    partSize: 5 * 1024 * 1024,
  })
}

export async function namesOf(stream: AsyncIterable<{ name?: string }>): Promise<string[]> {
  const found: string[] = []
  for await (const { name } of stream) found.push(name ?? '')
  return found
}
