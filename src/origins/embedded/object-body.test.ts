import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { ObjectBodyReader } from './object-body.ts'

const dir = mkdtempSync(join(tmpdir(), 'object-body-'))
after(() => rmSync(dir, { recursive: true }))

const content = randomBytes(1_500_000)
writeFileSync(join(dir, 'a'), content)
const slices = [
  { file: 'a', offset: 10, length: 700_000 },
  { file: 'a', offset: 900_001, length: 599_999 },
  { file: 'a', offset: 0, length: 1 },
]
const expected = Buffer.concat(
  slices.map(({ offset, length }) => content.subarray(offset, offset + length)),
)

/** Files whose readers are counted. */
function countedFiles() {
  const files = {
    readers: 0,
    open: (name: string) => open(join(dir, name), 'r'),
    retain: () => void files.readers++,
    letGo: () => void files.readers--,
  }
  return files
}

describe('a body that lends its memory', () => {
  it('hands out the same bytes as it gives away, from no more than two portions of memory', async () => {
    const files = countedFiles()
    const memories = new Set<ArrayBufferLike>()
    const pieces: Buffer[] = []
    await new ObjectBodyReader(files, slices).lendTo(async (piece) => {
      await new Promise(setImmediate)
      memories.add(piece.buffer)
      pieces.push(Buffer.from(piece))
    })
    assert.ok(Buffer.concat(pieces).equals(expected))
    assert.ok(memories.size <= 2, `${memories.size} portions`)
    assert.equal(files.readers, 0)
  })

  it('leaves a piece alone until it was taken', async () => {
    await new ObjectBodyReader(countedFiles(), slices).lendTo(async (piece) => {
      const before = Buffer.from(piece)
      await new Promise((resolve) => setTimeout(resolve, 10))
      assert.ok(before.equals(piece))
    })
  })

  it('sets its files free and rejects when a piece is not taken', async () => {
    const files = countedFiles()
    const reader = new ObjectBodyReader(files, slices)
    const refusal = new Error('no more')
    await assert.rejects(
      reader.lendTo(() => Promise.reject(refusal)),
      refusal,
    )
    assert.equal(files.readers, 0)
    assert.equal((await reader.next()).done, true)
  })

  it('gives pieces away for good when it is read as an iterable', async () => {
    const pieces: Uint8Array[] = []
    for await (const piece of new ObjectBodyReader(countedFiles(), slices)) pieces.push(piece)
    assert.ok(Buffer.concat(pieces).equals(expected))
  })

  it('rejects, with its files set free, when a file is shorter than it should be', async () => {
    const files = countedFiles()
    const tooLong = [{ file: 'a', offset: 1_499_999, length: 2 }]
    await assert.rejects(new ObjectBodyReader(files, tooLong).lendTo(() => Promise.resolve()))
    assert.equal(files.readers, 0)
  })
})
