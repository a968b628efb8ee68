import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseTrailerSection } from './trailers.ts'

const name = 'x-amz-checksum-crc32'

describe('a trailer section', () => {
  it('that is whole but empty lacks the trailer, while one that is cut off is broken', () => {
    for (const signed of [false, true]) {
      const parse = (text: string) => () => parseTrailerSection(text, name, signed)
      assert.throws(parse('\r\n'), { code: 'malformed_trailer' })
      for (const cut of ['', '\n', '\r', `${name}:AAAAAA==`, `${name}:AAAAAA==\r\n`]) {
        assert.throws(parse(cut), { code: 'incomplete_body' })
      }
    }
  })
})
