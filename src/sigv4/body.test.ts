import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { openBody, SigV4Error } from './index.ts'
import type { AnonymousAuthentication, DeclaredBody, SigV4ErrorCode, Verified } from './index.ts'
import { arriving, chain, cut, frame, frameSigned, read } from './testing/chunks.ts'
import type { Framing } from './testing/chunks.ts'
import { put } from './testing/signed-put.ts'
import { mutations, refusal, sha256 } from './testing/wire.ts'

const trailerName = 'x-amz-checksum-crc32'
const trailer = `${trailerName}:AAAAAA==`
const signedMode = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
const signedTrailerMode = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'
const unsignedMode = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
const anonymous: AnonymousAuthentication = {
  kind: 'anonymous',
  payload: { kind: 'unsigned-chunks' },
}

function open(
  payload: Verified | AnonymousAuthentication,
  wire: Uint8Array | readonly Uint8Array[],
  declared: Partial<DeclaredBody>,
) {
  const pieces = wire instanceof Uint8Array ? [wire] : wire
  return openBody(payload, arriving(...pieces), { maxBytes: 2 ** 20, ...declared })
}

/** Reads until it throws: the code, and what came out before. */
async function readBroken(
  stream: AsyncIterable<Buffer>,
): Promise<{ code: SigV4ErrorCode; before: Buffer }> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of stream) pieces.push(piece)
  } catch (error) {
    if (error instanceof SigV4Error) return { code: error.code, before: Buffer.concat(pieces) }
    throw error
  }
  throw new assert.AssertionError({ message: 'the body was read to its end' })
}

async function assertBroken(
  payload: Verified | AnonymousAuthentication,
  wire: Uint8Array | readonly Uint8Array[],
  declared: Partial<DeclaredBody>,
  code: SigV4ErrorCode,
): Promise<void> {
  assert.equal((await readBroken(open(payload, wire, declared).stream)).code, code)
}

const hello = Buffer.from('hello, ')
const world = Buffer.from('world')
const chunks = [hello, world]
const data = Buffer.concat(chunks)
const lengths = { decodedLength: data.length }

describe('a plain body with a literal hash', () => {
  const verified = put(sha256(data))

  it('gives the bytes, however they arrive', async () => {
    const opened = open(verified, [hello, Buffer.alloc(0), world], { contentLength: data.length })
    assert.equal(opened.size, data.length)
    assert.deepEqual(await read(opened.stream), data)
    assert.deepEqual([...opened.trailers()], [])
  })

  it('gives an empty body', async () => {
    const opened = open(put(sha256('')), [], { contentLength: 0 })
    assert.deepEqual(await read(opened.stream), Buffer.alloc(0))
  })

  it('refuses any changed byte, and keeps the last bytes to itself', async () => {
    for (const other of mutations(data.toString())) {
      const pieces = [Buffer.from(other).subarray(0, 7), Buffer.from(other).subarray(7)]
      const { code, before } = await readBroken(open(verified, pieces, {}).stream)
      assert.equal(code, 'content_sha256_mismatch')
      assert.ok(before.length < data.length)
    }
  })

  it('refuses an empty body where bytes were signed', async () => {
    await assertBroken(verified, [], {}, 'content_sha256_mismatch')
  })

  it('refuses fewer and more bytes than content-length says', async () => {
    await assertBroken(verified, data, { contentLength: data.length + 1 }, 'incomplete_body')
    await assertBroken(verified, data, { contentLength: data.length - 1 }, 'incomplete_body')
  })

  it('holds for anonymous callers too', async () => {
    const payload: AnonymousAuthentication = {
      kind: 'anonymous',
      payload: { kind: 'hash', sha256: sha256(data) },
    }
    await assertBroken(payload, hello, {}, 'content_sha256_mismatch')
  })

  it('does not take framing for framing, whatever it looks like', async () => {
    const framed = frame(chunks)
    const opened = open(put(sha256(framed)), framed, {})
    assert.deepEqual(await read(opened.stream), framed)
  })
})

describe('an unsigned plain body', () => {
  const verified = put('UNSIGNED-PAYLOAD')

  it('gives the bytes; its size is unknown without content-length', async () => {
    const opened = open(verified, chunks, {})
    assert.equal(opened.size, undefined)
    assert.deepEqual(await read(opened.stream), data)
  })

  it('refuses more bytes than are taken here, at once when they are announced', async () => {
    await assertBroken(verified, data, { maxBytes: 11 }, 'body_too_large')
    const announced = { contentLength: data.length, maxBytes: 11 }
    assert.throws(() => open(verified, data, announced), refusal('body_too_large'))
  })

  it('refuses a body that breaks off', async () => {
    async function* breaking(): AsyncGenerator<Buffer> {
      yield hello
      throw new Error('ECONNRESET')
    }
    const opened = openBody(verified, breaking(), { maxBytes: 100 })
    const { code, before } = await readBroken(opened.stream)
    assert.equal(code, 'incomplete_body')
    assert.equal(before.length, 0)
  })

  it('refuses a trailer that could never come', () => {
    assert.throws(
      () => open(verified, data, { trailer: trailerName }),
      refusal('malformed_trailer'),
    )
  })
})

for (const [mode, payload, framed, declared] of [
  [signedMode, put(signedMode), (f: Framing) => frameSigned(put(signedMode), chunks, f), lengths],
  [
    signedTrailerMode,
    put(signedTrailerMode),
    (f: Framing) => frameSigned(put(signedTrailerMode), chunks, { trailer, ...f }),
    { ...lengths, trailer: trailerName },
  ],
  [
    unsignedMode,
    put(unsignedMode),
    (f: Framing) => frame(chunks, { trailer, ...f }),
    { ...lengths, trailer: trailerName },
  ],
  [
    `${unsignedMode} of an anonymous caller`,
    anonymous,
    (f: Framing) => frame(chunks, { trailer, ...f }),
    { ...lengths, trailer: trailerName },
  ],
] as const) {
  describe(mode, () => {
    const wire = framed({})
    const isSigned = mode.startsWith(signedMode)

    it('gives the same bytes wherever the wire is cut', async () => {
      const places = fc.array(fc.nat({ max: wire.length }), { maxLength: 40 })
      await fc.assert(
        fc.asyncProperty(places, async (at) => {
          const opened = open(payload, cut(wire, at), { ...declared, contentLength: wire.length })
          assert.equal(opened.size, data.length)
          assert.deepEqual(await read(opened.stream), data)
        }),
      )
    })

    it('gives the same bytes one byte at a time', async () => {
      const bytes = Array.from(wire, (_, i) => wire.subarray(i, i + 1))
      assert.deepEqual(await read(open(payload, bytes, declared).stream), data)
    })

    it('withholds the last byte from a body that is cut off anywhere', async () => {
      for (let end = 0; end < wire.length; end++) {
        const pieces = cut(wire.subarray(0, end), [end - 3, end - 9, end - 40])
        const { code, before } = await readBroken(open(payload, pieces, declared).stream)
        assert.equal(code, 'incomplete_body', `cut at ${end}`)
        assert.ok(before.length < data.length)
      }
    })

    it('refuses bytes after the end', async () => {
      for (const more of ['\r\n\r\n', 'x', '0\r\n\r\n']) {
        const body = Buffer.concat([wire, Buffer.from(more)])
        const { before } = await readBroken(open(payload, [body], declared).stream)
        assert.equal(before.length, 0)
      }
    })

    it('refuses a payload that is longer or shorter than x-amz-decoded-content-length', async () => {
      for (const decodedLength of [0, data.length - 1, data.length + 1]) {
        await assertBroken(payload, wire, { ...declared, decodedLength }, 'incomplete_body')
      }
    })

    it('refuses to begin without a decoded length', () => {
      for (const decodedLength of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY]) {
        const bad = { ...declared, decodedLength }
        assert.throws(() => open(payload, wire, bad), refusal('missing_decoded_length'))
      }
      const { decodedLength: _, ...without } = declared
      assert.throws(() => open(payload, wire, without), refusal('missing_decoded_length'))
    })

    it('refuses what is too large, before a byte is read', () => {
      assert.throws(
        () => open(payload, wire, { ...declared, maxBytes: data.length - 1 }),
        refusal('body_too_large'),
      )
    })

    it('refuses a content-length that cannot hold the payload, or is not the length', async () => {
      const small = { ...declared, contentLength: data.length - 1 }
      assert.throws(() => open(payload, wire, small), refusal('incomplete_body'))
      for (const contentLength of [wire.length - 1, wire.length + 1]) {
        await assertBroken(payload, wire, { ...declared, contentLength }, 'incomplete_body')
      }
    })

    for (const [why, line] of [
      ['a line over 1 KiB', (text: string) => text + 'f'.repeat(1100)],
      ['a size of 17 digits', (text: string) => text.padStart(text.length + 16, '0')],
      ['a size beyond all numbers', (text: string) => `ffffffffffffffff${text.slice(1)}`],
      ['a size that is not hex', (text: string) => `x${text}`],
      ['a negative size', (text: string) => `-${text}`],
      ['white space around the size', (text: string) => ` ${text}`],
      ['no size', (text: string) => text.slice(1)],
      ['another extension', (text: string) => `${text};x=y`],
      ['a bare line feed', (text: string) => `${text}\n`],
    ] as const) {
      it(`refuses a chunk line with ${why}`, async () => {
        const { code } = await readBroken(open(payload, framed({ line }), declared).stream)
        assert.ok(code === 'incomplete_body' || code === 'signature_mismatch', code)
      })
    }

    it('refuses an endless line without keeping it', async () => {
      let pulled = 0
      async function* endless(): AsyncGenerator<Buffer> {
        for (; ; pulled++) yield Buffer.alloc(100, '0')
      }
      const opened = openBody(payload, endless(), { maxBytes: 100, ...declared })
      assert.equal((await readBroken(opened.stream)).code, 'incomplete_body')
      assert.ok(pulled <= 11)
    })

    it('takes small chunks, unless told to be strict about all but the last', async () => {
      assert.deepEqual(await read(open(payload, wire, declared).stream), data)
      const strict = { ...declared, minChunkBytes: hello.length + 1 }
      await assert.rejects(read(open(payload, wire, strict).stream), (error) => {
        assert.ok(error instanceof SigV4Error)
        assert.equal(error.code, 'invalid_chunk_size')
        assert.deepEqual(error.detail, { chunk: 1, badChunkSize: hello.length })
        return true
      })
      const bearable = { ...declared, minChunkBytes: hello.length }
      assert.deepEqual(await read(open(payload, wire, bearable).stream), data)
    })

    it('gives trailers only after the end', async () => {
      const opened = open(payload, wire, declared)
      assert.throws(() => opened.trailers())
      await read(opened.stream)
      const expected = mode === signedMode ? [] : [[trailerName, 'AAAAAA==']]
      assert.deepEqual([...opened.trailers()], expected)
    })

    if (isSigned) {
      it('refuses any changed byte of data or signature', async () => {
        const text = wire.toString('latin1')
        for (const mutated of mutations(text)) {
          const broken = open(payload, Buffer.from(mutated, 'latin1'), declared).stream
          const { code, before } = await readBroken(broken)
          assert.ok(
            ['signature_mismatch', 'incomplete_body', 'malformed_trailer'].includes(code),
            code,
          )
          assert.equal(before.length, 0)
        }
      })
    }

    if (mode !== signedMode) {
      for (const trailerEnd of ['\n', '\r\n', '\n\r\n']) {
        it(`takes a trailer value ended by ${JSON.stringify(trailerEnd)}`, async () => {
          const opened = open(payload, framed({ trailerEnd }), declared)
          assert.deepEqual(await read(opened.stream), data)
          assert.equal(opened.trailers().get(trailerName), 'AAAAAA==')
        })
      }

      it('refuses a body without its trailer', async () => {
        const { code } = await readBroken(open(payload, framed({ trailer: '' }), declared).stream)
        assert.ok(code === 'malformed_trailer' || code === 'incomplete_body', code)
      })

      it('refuses another trailer than the announced', async () => {
        const other = framed({ trailer: 'x-amz-checksum-sha1:AAAA' })
        const { code } = await readBroken(open(payload, other, declared).stream)
        assert.equal(code, 'malformed_trailer')
      })

      it('refuses two trailers, the same one twice too', async () => {
        for (const more of [trailer, 'x-amz-checksum-sha1:AAAA', 'x-amz-meta-a:b']) {
          const two = framed({ trailer: `${trailer}\r\n${more}` })
          await assertBroken(payload, two, declared, 'malformed_trailer')
        }
      })

      it('refuses a trailer line that is none', async () => {
        for (const broken of [
          'no colon',
          ' folded: x',
          ':no name',
          'a b:c',
          `${trailerName}: \rx`,
        ]) {
          await assertBroken(payload, framed({ trailer: broken }), declared, 'incomplete_body')
        }
      })

      it('refuses a trailer section over 4 KiB', async () => {
        const long = framed({ trailer: `${trailer}${'A'.repeat(5000)}` })
        await assertBroken(payload, long, declared, 'incomplete_body')
      })

      it('refuses to begin when the trailer is not announced, unknown, or not one', () => {
        const { trailer: _, ...without } = declared
        assert.throws(() => open(payload, wire, without), refusal('malformed_trailer'))
        for (const name of [
          'x-amz-checksum-md4',
          'x-amz-meta-a',
          `${trailerName},x-amz-checksum-sha1`,
          `${trailerName}, ${trailerName}`,
        ]) {
          assert.throws(
            () => open(payload, wire, { ...declared, trailer: name }),
            refusal('invalid_trailer'),
          )
        }
      })
    }
  })
}

describe('chunk chains', () => {
  const verified = put(signedMode)

  it('takes an empty body, whose one chunk is signed too', async () => {
    const wire = frameSigned(verified, [])
    assert.deepEqual(await read(open(verified, wire, { decodedLength: 0 }).stream), Buffer.alloc(0))
  })

  it('refuses an empty body whose one chunk is not', async () => {
    const wire = frame([], { line: (line) => `${line};chunk-signature=${'0'.repeat(64)}` })
    await assertBroken(verified, wire, { decodedLength: 0 }, 'signature_mismatch')
  })

  it('refuses unsigned framing', async () => {
    await assertBroken(verified, frame(chunks), lengths, 'incomplete_body')
  })

  it('refuses chunks that changed places', async () => {
    const { signatures } = chain(verified, [hello, hello, world])
    const order = [1, 0, 2, 3]
    const line = (text: string, i: number) =>
      `${text};chunk-signature=${signatures[order[i] ?? 0] ?? ''}`
    const wire = frame([hello, hello, world], { line })
    await assertBroken(verified, wire, { decodedLength: 19 }, 'signature_mismatch')
  })

  it('refuses a body that ends early, its last chunk left out or made up', async () => {
    const { signatures } = chain(verified, chunks)
    const line = (text: string, i: number) => `${text};chunk-signature=${signatures[i] ?? ''}`
    const wire = frame([hello], { line }) // the end carries the signature of the second chunk
    await assertBroken(verified, wire, { decodedLength: hello.length }, 'signature_mismatch')
  })

  it('refuses the chunks of another request', async () => {
    const other = put(signedMode, '/bucket/other')
    await assertBroken(verified, frameSigned(other, chunks), lengths, 'signature_mismatch')
  })

  it('refuses upper-case signatures, whose bytes would be equal', async () => {
    const line = (text: string) => text.replace(/=.*/, (signature) => signature.toUpperCase())
    const wire = frameSigned(verified, chunks, { line })
    await assertBroken(verified, wire, lengths, 'signature_mismatch')
  })

  it('refuses a trailer that was not signed, and one whose signature is missing', async () => {
    const withTrailer = put(signedTrailerMode)
    const declared = { ...lengths, trailer: trailerName }
    const wire = frameSigned(withTrailer, chunks, { trailer }).toString('latin1')
    const forged = Buffer.from(wire.replace('AAAAAA==', 'BBBBBB=='), 'latin1')
    await assertBroken(withTrailer, forged, declared, 'signature_mismatch')
    const bare = Buffer.from(wire.replace(/x-amz-trailer-signature:.*\r\n/, ''), 'latin1')
    await assertBroken(withTrailer, bare, declared, 'malformed_trailer')
  })

  it('does not let an anonymous caller send signed chunks', () => {
    const payload: AnonymousAuthentication = {
      kind: 'anonymous',
      payload: { kind: 'signed-chunks', trailer: false },
    }
    assert.throws(() => open(payload, [], { decodedLength: 0 }), refusal('streaming_not_allowed'))
  })
})

describe('the flow of a body', () => {
  it('pulls no faster than it is pulled from', async () => {
    let pulled = 0
    async function* counting(): AsyncGenerator<Buffer> {
      for (; pulled < 100; pulled++) yield Buffer.alloc(1000)
    }
    const opened = openBody(put('UNSIGNED-PAYLOAD'), counting(), { maxBytes: 2 ** 20 })
    await opened.stream[Symbol.asyncIterator]().next()
    assert.ok(pulled <= 2)
  })

  it('leaves the wire open when it breaks off, so that a refusal can be answered', async () => {
    let closed = false
    async function* watched(): AsyncGenerator<Buffer> {
      try {
        yield Buffer.from('not a chunk\r\n')
        yield Buffer.alloc(10)
      } finally {
        closed = true
      }
    }
    const opened = openBody(put(signedMode), watched(), { ...lengths, maxBytes: 100 })
    assert.equal((await readBroken(opened.stream)).code, 'incomplete_body')
    assert.equal(closed, false)
  })

  it('streams one chunk of 64 MiB in flat memory', async () => {
    const size = 64 * 2 ** 20
    const piece = Buffer.alloc(64 * 1024, 'a')
    async function* wire(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${size.toString(16)}\r\n`)
      for (let sent = 0; sent < size; sent += piece.length) yield piece
      yield Buffer.from(`\r\n0\r\n${trailer}\r\n\r\n`)
    }
    const declared = { decodedLength: size, trailer: trailerName, maxBytes: size }
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    let received = 0
    for await (const part of openBody(put(unsignedMode), wire(), declared).stream) {
      received += part.length
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    assert.equal(received, size)
    assert.ok(most < 16 * 2 ** 20, `${most} bytes`)
  })

  it('joins the crumbs of tiny chunks: no more pieces come out than went in', async () => {
    const wire = frame(Array<Buffer>(1000).fill(Buffer.from('x')), { trailer })
    const declared = { decodedLength: 1000, trailer: trailerName }
    let pieces = 0
    for await (const _ of open(put(unsignedMode), wire, declared).stream) pieces += 1
    assert.equal(pieces, 1)
  })

  it('throws nothing but SigV4Error for any bytes at all', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    const text = fc
      .array(
        fc.constantFrom('0', '5', 'a', ';chunk-signature=', '\r\n', '\n', ':', trailer, 'hello'),
      )
      .map((parts) => Buffer.from(parts.join('')))
    const payloads = fc.constantFrom(anonymous, put(signedMode), put(signedTrailerMode))
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(bytes, text),
        payloads,
        fc.nat({ max: 6 }),
        async (wire, payload, decodedLength) => {
          try {
            const isPlain =
              'authentication' in payload &&
              payload.authentication.payload.kind === 'signed-chunks' &&
              !payload.authentication.payload.trailer
            const declared = isPlain ? { decodedLength } : { decodedLength, trailer: trailerName }
            await read(open(payload, wire, declared).stream)
          } catch (error) {
            assert.ok(error instanceof SigV4Error, String(error))
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})
