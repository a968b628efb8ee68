import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { readBody } from './read-body.ts'

describe('reading the body of a call', () => {
  it('gives the whole of it', async () => {
    const body = Readable.from([Buffer.from('a'), Buffer.from('b')])
    assert.equal((await readBody({ body })).toString(), 'ab')
  })

  it('refuses one that does not come in time', async () => {
    const body = new PassThrough()
    body.write('a')
    await assert.rejects(readBody({ body }, 20), { code: 'body_too_slow' })
  })

  it('refuses one that breaks off', async () => {
    const body = new PassThrough()
    body.write('a')
    setImmediate(() => body.destroy(new Error('the peer has gone')))
    await assert.rejects(readBody({ body }), { code: 'body_incomplete' })
  })

  it('refuses one byte too many, and takes the last one that fits', async () => {
    const fits = Buffer.alloc(64 * 1024)
    assert.equal((await readBody({ body: Readable.from([fits]) })).length, fits.length)
    const body = Readable.from([fits, Buffer.alloc(1)])
    await assert.rejects(readBody({ body }), { code: 'body_too_large' })
  })
})
