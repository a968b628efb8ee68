import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pacedBody } from './paced-body.ts'

const pace = { graceMs: 10_000, leastBytesPerSecond: 1000 }

/** Reads it all; every chunk is waited for, and then used, for so long. */
async function read(chunks: readonly number[], waitMs: number, useMs = 0): Promise<number> {
  let at = 0
  let size = 0
  async function* source(): AsyncGenerator<Uint8Array> {
    for (const length of chunks) {
      at += waitMs
      yield new Uint8Array(length)
    }
  }
  for await (const chunk of pacedBody(source(), pace, () => at)) {
    size += chunk.length
    at += useMs
  }
  return size
}

describe('a paced body', () => {
  it('is given on as it comes', async () => {
    assert.equal(await read([2000, 0, 3000], 1000), 5000)
    assert.equal(await read([], 0), 0)
  })

  it('may start slowly', async () => {
    assert.equal(await read([1, 1, 1, 1], 2000), 4)
  })

  it('fails when it trickles on', async () => {
    await assert.rejects(read(Array<number>(100).fill(1), 2000), /less than 1000 bytes a second/)
  })

  it('is not to blame for a reader that takes its time', async () => {
    assert.equal(await read(Array<number>(100).fill(10), 1, 60_000), 1000)
  })

  it('ends its source when it is left', async () => {
    let ended = false
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(1)
      } finally {
        ended = true
      }
    }
    for await (const _ of pacedBody(source(), pace)) break
    assert.ok(ended)
  })
})
