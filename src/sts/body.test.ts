import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBody } from './body.ts'
import { request, stream } from './testing/house.ts'

const limits = { maxBodyBytes: 8, bodyTimeoutMs: 20 }

/** A source that never says anything again after its chunks. */
async function* stalling(...chunks: readonly string[]) {
  yield* stream(...chunks)
  await new Promise<never>(() => undefined)
}

describe('the body of a call', () => {
  it('is read up to its limit', async () => {
    const body = await readBody(request({ body: stream('1234', '5678') }), limits)
    assert.equal(body.toString(), '12345678')
    assert.equal((await readBody(request({ body: stream() }), limits)).length, 0)
  })

  it('is refused beyond its limit without reading the rest', async () => {
    let taken = 0
    let left = false
    async function* endless() {
      try {
        for (;;) {
          taken += 1
          yield Buffer.from('1234')
        }
      } finally {
        left = true
      }
    }
    await assert.rejects(readBody(request({ body: endless() }), limits), { code: 'body_too_large' })
    assert.equal(taken, 3)
    assert.equal(left, true)
  })

  it('is refused by its announced length before it may begin', async () => {
    let begun = false
    const announced = request({
      headers: [['Content-Length', '9']],
      body: stalling(),
      proceed: () => (begun = true),
    })
    await assert.rejects(readBody(announced, limits), { code: 'body_too_large' })
    assert.equal(begun, false)
  })

  it('is refused when it does not come in time', async () => {
    for (const body of [stalling(), stalling('12')]) {
      await assert.rejects(readBody(request({ body }), limits), { code: 'body_too_slow' })
    }
  })

  it('is refused when it breaks off', async () => {
    async function* broken() {
      yield Buffer.from('12')
      throw new Error('aborted')
    }
    await assert.rejects(readBody(request({ body: broken() }), limits), { code: 'body_incomplete' })
  })
})
