import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { s3Client } from '../keys.ts'
import type { ClientKind } from './store-client.ts'

export const awsSdk: ClientKind = {
  name: 'AWS SDK for JavaScript',
  absent: false,
  missing: /NoSuchKey/,
  denied: /AccessDenied/,
  keys: 'any',
  async open({ endpoint, keys }) {
    const client = s3Client(endpoint, keys)
    return {
      async makeBucket(Bucket) {
        await client.send(new CreateBucketCommand({ Bucket }))
      },
      async removeBucket(Bucket) {
        await client.send(new DeleteBucketCommand({ Bucket }))
      },
      async put(Bucket, Key, Body) {
        await new Upload({ client, params: { Bucket, Key, Body } }).done()
      },
      async get(Bucket, Key) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
        return Buffer.from((await Body?.transformToByteArray()) ?? [])
      },
      async list(Bucket, Prefix) {
        const found: string[] = []
        for await (const page of paginateListObjectsV2({ client, pageSize: 3 }, { Bucket, Prefix }))
          for (const { Key } of page.Contents ?? []) found.push(Key ?? '')
        return found
      },
      async copy(Bucket, from, Key) {
        const CopySource = `${Bucket}/${encodeURIComponent(from)}`
        await client.send(new CopyObjectCommand({ Bucket, Key, CopySource }))
      },
      async remove(Bucket, Key) {
        await client.send(new DeleteObjectCommand({ Bucket, Key }))
      },
      linkTo: (Bucket, Key) =>
        getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 }),
      async close() {
        client.destroy()
      },
    }
  },
}
