import { after, before, describe, it } from 'node:test'
import { awsCli } from './clients/aws-cli.ts'
import { awsSdk } from './clients/aws-sdk.ts'
import { boto3 } from './clients/boto3.ts'
import { conformance } from './clients/conformance.ts'
import { minio } from './clients/minio.ts'
import { rcloneClient } from './clients/rclone.ts'
import { s3cmdClient } from './clients/s3cmd.ts'
import type { StoreClient } from './clients/store-client.ts'
import { closedBucket, openWorld } from './clients/world.ts'
import type { World } from './clients/world.ts'

let world: World

before(async () => {
  world = await openWorld()
})

after(() => world.close())

// Two at a time: most of the time is spent on starting programs.
describe('with temporary keys', { concurrency: 2 }, () => {
  for (const kind of [awsCli, awsSdk, minio, boto3, s3cmdClient, rcloneClient]) {
    describe(kind.name, { skip: kind.absent, concurrency: false }, () => {
      const name = kind.name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
      let place: Awaited<ReturnType<World['placeFor']>>
      let client: StoreClient
      before(async () => {
        place = await world.placeFor(name)
        client = await kind.open(place)
      })
      after(() => client?.close?.())
      for (const [title, claim] of conformance) {
        it(title, (t) => {
          const { bucket, dir } = place
          const skip = (why: string): void => t.skip(why)
          return claim({
            kind,
            client,
            bucket,
            dir,
            skip,
            forbidden: closedBucket,
            root: world.root,
          })
        })
      }
    })
  }
})
