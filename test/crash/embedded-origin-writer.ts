/**
 * A process of its own for the crash test: writes to one origin from many sides at once until it is killed, and says
 * on stdout what was acknowledged, one JSON line each. Everything it writes can be told from its name and seed.
 */
import { createHash, randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openEmbeddedOrigin } from '../../src/origins/index.ts'
import { bodyOf, patterned, plain } from '../../src/origins/testing/bodies.ts'
import { Session } from '../../src/origins/testing/session.ts'

const [dir, round] = process.argv.slice(2)
if (dir === undefined || round === undefined)
  throw new Error('usage: embedded-origin-writer DIR ROUND')
const origin = await openEmbeddedOrigin({ dir, clock: () => new Date(), random: randomBytes })
await origin.handle('CreateBucket', { bucket: 'bucket' }).catch(() => undefined)
const session = new Session(origin, 'bucket')

const sizes = [0, 100, 4096, 65_536, 65_537, 300_000, 2_000_000]

function say(line: object): void {
  // Not buffered: what is said has been said when the signal comes.
  writeSync(1, `${JSON.stringify(line)}\n`)
}

/** Overwrites a few keys of its own over and over; the seed of the next write is announced before it. */
async function overwrite(writer: number): Promise<never> {
  for (let i = 0; ; i++) {
    const key = `own/${writer}/${i % 5}`
    const size = sizes[(i + writer) % sizes.length] ?? 0
    const seed = Number(round) * 1_000_000 + writer * 10_000 + i
    say({ begin: key, size, seed })
    await session.put(key, patterned(size, seed))
    say({ done: key, size, seed })
  }
}

async function createAndDelete(writer: number): Promise<never> {
  for (let i = 0; ; i++) {
    const key = `passing/${round}/${writer}/${i}`
    await session.put(key, patterned(100_000, i))
    say({ begin: key })
    await session.delete(key)
    say({ deleted: key })
  }
}

async function uploadParts(writer: number): Promise<never> {
  for (let i = 0; ; i++) {
    const key = `parts/${round}/${writer}/${i}`
    const bytes = patterned(150_000, i)
    const uploadId = await session.upload(key)
    const body = bodyOf(bytes)
    const part = { key, uploadId, partNumber: 1, body }
    await session.do('UploadPart', part)
    const { etag } = await session.do('UploadPart', { ...part, body: bodyOf(bytes) })
    if (i % 3 === 0) {
      await session.do('AbortMultipartUpload', { key, uploadId })
      continue
    }
    await session.complete(key, uploadId, [{ partNumber: 1, etag }])
    say({ done: key, size: bytes.length, seed: i })
  }
}

/** Uploads that never come to an end. */
async function dawdle(writer: number): Promise<void> {
  const slow = { ...bodyOf(Buffer.alloc(0)), size: 10_000_000, stream: drip() }
  const request = { key: `never/${round}/${writer}`, body: slow, attributes: plain, conditions: {} }
  await session.do('PutObject', request)
}

async function* drip(): AsyncIterable<Buffer> {
  for (;;) {
    yield Buffer.alloc(10_000, createHash('md5').update(String(round)).digest())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

await Promise.all([
  ...[0, 1, 2, 3, 4, 5].map(overwrite),
  ...[0, 1].map(createAndDelete),
  ...[0, 1].map(uploadParts),
  ...[0, 1].map(dawdle),
])
