import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { startOidcIssuer } from '../../fakes/oidc-issuer.ts'
import { startDaypass } from '../daypass-server.ts'
import type { DaypassServer } from '../daypass-server.ts'
import { exchangeToken, s3Client } from '../keys.ts'
import type { Place } from './store-client.ts'

/** A running server with one OpenID provider, and people who sign in to it. */
export type World = Readonly<{
  server: DaypassServer
  /** Looks at what is stored. */
  root: S3Client
  /** An id token of somebody who may do everything in buckets that begin with the name, and nothing elsewhere. */
  tokenOf(name: string): string
  /** The same person with temporary keys, a bucket of that name, and a directory. */
  placeFor(name: string): Promise<Place & Readonly<{ bucket: string }>>
  close(): Promise<void>
}>

/** Where nobody but root may do anything; holds the one object `secret`. */
export const closedBucket = 'closed'

export async function openWorld(): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-clients-'))
  const idp = await startOidcIssuer({ audience: 'app' })
  const server = await startDaypass({
    config: `
domains: [s3.localhost]
openid:
  - { name: people, configUrl: "${idp.configUrl}", clientId: app }
policies:
  own-buckets:
    Version: "2012-10-17"
    Statement:
      - { Effect: Allow, Action: "s3:*", Resource: "arn:aws:s3:::\${jwt:sub}*" }
`,
  })
  const root = s3Client(server.endpoint, server.root)
  await root.send(new CreateBucketCommand({ Bucket: closedBucket }))
  await root.send(new PutObjectCommand({ Bucket: closedBucket, Key: 'secret', Body: 'secret' }))
  const tokenOf = (name: string) => idp.token(idp.claims({ sub: name, policy: 'own-buckets' }))
  return {
    server,
    root,
    tokenOf,
    async placeFor(name) {
      const keys = await exchangeToken(server.endpoint, tokenOf(name))
      await root.send(new CreateBucketCommand({ Bucket: name }))
      const own = mkdtempSync(join(dir, `${name}-`))
      return { endpoint: server.endpoint, keys, dir: own, bucket: name }
    },
    async close() {
      await server.stop()
      await idp.close()
      rmSync(dir, { recursive: true })
    },
  }
}
