import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { createChecksum } from '../checksums/index.ts'
import { readFields } from './request-fields.ts'

const named = 'x-amz-sdk-checksum-algorithm'

describe('checksums in the query of a link', () => {
  const link = (algorithm: string, value: string): string =>
    `x-amz-checksum-${algorithm.toLowerCase()}=${encodeURIComponent(value)}&${named}=${algorithm}`

  it('count for nothing when they are those of nothing, which SDKs sign before they have a body', () => {
    for (const algorithm of ['CRC32', 'SHA256'] as const) {
      const query = link(algorithm, createChecksum(algorithm).digest())
      const { headers } = readFields({ headers: [], query }, true)
      assert.deepEqual([...headers], [])
    }
  })

  it('count when they are those of something', () => {
    const { headers } = readFields({ headers: [], query: link('CRC32', 'AAAAAQ==') }, true)
    assert.equal(headers.get('x-amz-checksum-crc32'), 'AAAAAQ==')
    assert.equal(headers.get(named), 'CRC32')
  })

  it('count when they stand in a header too', () => {
    const headers = [['x-amz-checksum-crc32', 'AAAAAA==']] as const
    const fields = readFields({ headers, query: link('CRC32', 'AAAAAA==') }, true)
    assert.equal(fields.headers.get('x-amz-checksum-crc32'), 'AAAAAA==')
  })
})
