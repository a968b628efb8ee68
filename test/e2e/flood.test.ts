import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  CreateBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { startOidcIssuer } from '../fakes/oidc-issuer.ts'
import type { OidcIssuer } from '../fakes/oidc-issuer.ts'
import { startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { assumeRole, exchangeToken, s3Client } from './keys.ts'
import type { SessionKeys } from './keys.ts'
import { RawConnection } from './raw/connection.ts'
import { garbageMakers } from './raw/garbage.ts'
import { assertUntold } from './traces.ts'

const bucket = 'flooded'
const connections = 32
const requests = 5000
/** The requests bring some 100 MiB with them: to keep a quarter of that would show. */
const mostGrowthMib = 25
/** A small heap, so that resident is what is held and not what the collector has left lying for later. */
const smallHeap = '--max-old-space-size=96 --max-semi-space-size=4'
const statusFile = (pid: number | undefined) => `/proc/${pid}/status`

let idp: OidcIssuer
let server: DaypassServer
let keys: SessionKeys

before(async () => {
  idp = await startOidcIssuer({ audience: 'app' })
  server = await startDaypass({
    env: { NODE_OPTIONS: smallHeap },
    config: `
openid: [{ name: people, configUrl: "${idp.configUrl}", clientId: app }]
limits: { anonymousPerSecond: 1000000, anonymousBurst: 1000000 }
`,
  })
  keys = await assumeRole(server.endpoint, server.root)
  await s3Client(server.endpoint, keys).send(new CreateBucketCommand({ Bucket: bucket }))
})

after(async () => {
  await server.stop()
  await idp.close()
})

/** So many refused requests over so many connections, each of which is opened again when the server closes it. */
async function flood(count: number): Promise<Map<number, number>> {
  const { host } = new URL(server.endpoint)
  const makers = garbageMakers({ host, keys, bucket, idp })
  const statuses = new Map<number, number>()
  let next = 0
  const worker = async (): Promise<void> => {
    let connection: RawConnection | undefined
    while (next < count) {
      const make = makers[next++ % makers.length]
      if (connection?.isOpen !== true) connection = await RawConnection.open(server.endpoint)
      connection.send(make?.() ?? '')
      const answer = await connection.answer()
      const status = answer?.status ?? 0
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (answer?.headers.get('connection') === 'close') {
        connection.close()
        connection = undefined
      }
    }
    connection?.close()
  }
  await Promise.all(Array.from({ length: connections }, worker))
  return statuses
}

/** Resident memory of the server. */
function residentMib(): number {
  const text = readFileSync(statusFile(server.process.pid), 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024
}

describe('a flood of garbage', () => {
  const skip = !existsSync(statusFile(process.pid)) && 'no /proc here to read memory from'

  it('is refused request by request, and leaves no memory behind', { skip }, async () => {
    await flood(requests / 3)
    const warm = residentMib()
    const statuses = await flood(requests)
    const grown = residentMib() - warm
    assert.deepEqual(
      [...statuses.keys()].filter((status) => status < 400 || status >= 500),
      [],
      `answered with ${JSON.stringify([...statuses])}`,
    )
    assert.ok(grown < mostGrowthMib, `${grown.toFixed(1)} MiB more than ${warm.toFixed(1)} MiB`)
  })

  it('stores nothing, tells nobody a secret, and keeps nobody from work', async () => {
    const client = s3Client(server.endpoint, keys)
    assert.equal((await client.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount, 0)
    assert.equal((await client.send(new ListBucketsCommand({}))).Buckets?.length, 1)
    assert.deepEqual(readdirSync(join(server.dir, 'tmp')), [])
    assertUntold(server, [keys.sessionToken, keys.secretAccessKey, server.root.secretAccessKey])
    assert.doesNotMatch(server.output(), /"level":50/, 'a fault of ours')
    const token = idp.token(idp.claims({ policy: 'readwrite' }))
    const own = s3Client(server.endpoint, await exchangeToken(server.endpoint, token))
    await own.send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'still works' }))
  })
})
