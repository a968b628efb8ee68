import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { benchUser, openSession, planSigned, sendSigned, startDaypass } from '../daypass.ts'
import type { Daypass } from '../daypass.ts'
import type { ClientKey } from '../../src/sigv4/index.ts'
import { atLeast } from '../figure.ts'
import { floorAddress } from '../floors/serve.ts'
import { compare } from '../load/compare.ts'
import type { Part } from '../part.ts'
import { policyDocument } from '../policy-document.ts'
import { program } from '../program.ts'
import type { Server, Workplace } from '../workplace.ts'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
const keys = 256

type Pair = Readonly<{ ours: Daypass; floor: Server; session: ClientKey; floorDir: string }>

export const smallObjects: Part = {
  name: 'small-objects',
  floor:
    'GET: a bare node:http server that makes one SHA-256 and one HMAC and sends a file of the same bytes. ' +
    'PUT: the same, with SHA-256 and MD5 of the body, appended to one log, one fdatasync for all that came meanwhile',
  async measure(place, pace) {
    const pair = await startPair(place)
    const body = randomBytes(4 * kibibyte)
    const paths = Array.from({ length: keys }, (_, index) => `/bench/object-${index}`)
    for (const path of paths) {
      await sendSigned(pair.ours, 's3', pair.session, { method: 'PUT', path, body })
      writeFileSync(join(pair.floorDir, path.slice(path.lastIndexOf('/'))), body)
    }
    const both = { ...pair, connections: 32, measure: 'rate' } as const
    const plan = (method: string, extra: object): ReturnType<typeof planSigned>[] =>
      paths.map((path) => planSigned(pair.ours, 's3', pair.session, { method, path, ...extra }))
    return [
      await compare(place, pace, { ...both, name: 'GET 4 KiB', requests: plan('GET', {}) }),
      await compare(place, pace, { ...both, name: 'PUT 4 KiB', requests: plan('PUT', { body }) }),
    ]
  },
}

export const largeObjects: Part = {
  name: 'large-objects',
  floor:
    'GET: a bare node:http server that streams a file of the same size. ' +
    'PUT: the same, hashing the body by SHA-256 and MD5 into a file, fdatasync, rename',
  async measure(place, pace) {
    const pair = await startPair(place)
    const content = { body: randomBytes(mebibyte), times: 64 }
    const get = { method: 'GET', path: '/bench/large' }
    const put = { method: 'PUT', path: '/bench/large', ...content }
    await sendSigned(pair.ours, 's3', pair.session, put)
    writeFileSync(join(pair.floorDir, 'large'), randomBytes(64 * mebibyte))
    const both = { ...pair, connections: 2, measure: 'throughput', budget: atLeast(0.8) } as const
    const plan = (request: typeof get): ReturnType<typeof planSigned>[] => [
      planSigned(pair.ours, 's3', pair.session, request),
    ]
    return [
      await compare(place, pace, { ...both, name: 'GET 64 MiB', requests: plan(get) }),
      await compare(place, pace, { ...both, name: 'PUT 64 MiB, signed', requests: plan(put) }),
    ]
  },
}

/** A user's session under twenty statements with conditions, and a bucket for it. */
async function startPair(place: Workplace): Promise<Pair> {
  const { users, key } = benchUser(place, 'bench')
  const ours = await startDaypass(place, { policies: { bench: policyDocument(20) }, users })
  await sendSigned(ours, 's3', ours.root, { method: 'PUT', path: '/bench' })
  const session = await openSession(ours, key)
  const floorDir = join(place.dir, 'floor')
  mkdirSync(floorDir)
  const floor = await place.serve([program('floors/objects.ts'), floorDir], floorAddress)
  return { ours, floor, session, floorDir }
}
