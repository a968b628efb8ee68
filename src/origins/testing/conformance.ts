import { randomBytes } from 'node:crypto'
import { after, before, describe } from 'node:test'
import type { Origin } from '../../s3/index.ts'
import { bucketClaims } from './bucket-claims.ts'
import { copyClaims } from './copy-claims.ts'
import { listingClaims } from './listing-claims.ts'
import { multipartClaims } from './multipart-claims.ts'
import { objectClaims } from './object-claims.ts'
import { Session } from './session.ts'
import { versioningClaims } from './versioning-claims.ts'

export type OriginFixture = Readonly<{ origin: Origin; dispose(): Promise<void> }>

/** Opens a bucket of its own for each group of claims. */
export type NewSession = () => Promise<Session>

/** What every origin must do. The factory opens an origin that may already hold other buckets. */
export function originConformance(name: string, create: () => Promise<OriginFixture>): void {
  describe(`Origin port: ${name}`, { concurrency: false }, () => {
    let fixture: OriginFixture
    before(async () => {
      fixture = await create()
    })
    after(() => fixture.dispose())

    const newSession: NewSession = async () => {
      const bucket = `bucket-${randomBytes(6).toString('hex')}`
      await fixture.origin.handle('CreateBucket', { bucket })
      return new Session(fixture.origin, bucket)
    }
    bucketClaims(newSession)
    objectClaims(newSession)
    versioningClaims(newSession)
    listingClaims(newSession)
    copyClaims(newSession)
    multipartClaims(newSession)
  })
}
