import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { Refusal } from '../errors.ts'
import { isBucketName, parseAddress } from './address.ts'

const domains = ['example.test', 's3.example.test']

function codeOf(path: string, host?: string): string | undefined {
  try {
    parseAddress(path, host, domains)
    return undefined
  } catch (error) {
    return error instanceof Refusal ? error.code : 'unknown error'
  }
}

describe('addresses (S3 surface, section 13)', () => {
  it('reads path style, with and without a trailing slash', () => {
    assert.deepEqual(parseAddress('/', undefined, []), { kind: 'service' })
    assert.deepEqual(parseAddress('/bkt', undefined, []), { kind: 'bucket', bucket: 'bkt' })
    assert.deepEqual(parseAddress('/bkt/', undefined, []), { kind: 'bucket', bucket: 'bkt' })
  })

  it('keeps keys byte for byte', () => {
    for (const key of [
      'a//b',
      '../x',
      './',
      'a/../b',
      '/',
      '//',
      'ä/€/😀',
      'a b+c~d*e',
      '%25',
      'x/',
    ]) {
      const path = `/bkt/${key.split('/').map(encodeURIComponent).join('/')}`
      assert.deepEqual(
        parseAddress(path, undefined, []),
        { kind: 'object', bucket: 'bkt', key },
        key,
      )
    }
  })

  it('decodes before it cuts, as the signature does', () => {
    assert.deepEqual(parseAddress('/bkt%2Fsecret/k', undefined, []), {
      kind: 'object',
      bucket: 'bkt',
      key: 'secret/k',
    })
  })

  it('takes a plus in a path for a plus', () => {
    assert.deepEqual(parseAddress('/bkt/a+b', undefined, []), {
      kind: 'object',
      bucket: 'bkt',
      key: 'a+b',
    })
  })

  it('reads the bucket from the host below the longest domain', () => {
    const object = { kind: 'object', bucket: 'bkt', key: 'k/x' }
    assert.deepEqual(parseAddress('/k/x', 'bkt.s3.example.test', domains), object)
    assert.deepEqual(parseAddress('/k/x', 'BKT.S3.Example.TEST:9000', domains), object)
    assert.deepEqual(parseAddress('/', 'a.b.s3.example.test', domains), {
      kind: 'bucket',
      bucket: 'a.b',
    })
    assert.deepEqual(parseAddress('/', 's3.example.test', domains), { kind: 'service' })
  })

  it('is path style on unknown hosts, look-alikes and IP addresses', () => {
    for (const host of ['other.test', 'evilexample.test', '127.0.0.1:9000', '[::1]:9000', '']) {
      assert.deepEqual(parseAddress('/bkt', host, domains), { kind: 'bucket', bucket: 'bkt' }, host)
    }
  })

  it('refuses names that are no bucket names', () => {
    const bad = [
      'ab',
      'a'.repeat(64),
      'Abc',
      'a_b',
      '-ab',
      'ab-',
      'a..b',
      'a.-b',
      'a-.b',
      '192.168.0.1',
      'xn--abc',
      'sthree-x',
      'x-s3alias',
      'a b',
      'é12',
      '',
    ]
    for (const name of bad) assert.equal(isBucketName(name), false, name)
    for (const name of ['abc', 'a.b', 'a-b', '1a2', 'a'.repeat(63)])
      assert.ok(isBucketName(name), name)
    assert.equal(codeOf('/AB/k'), 'invalid_bucket_name')
    assert.equal(codeOf('//k'), 'invalid_bucket_name')
    assert.equal(codeOf('/..'), 'invalid_bucket_name')
  })

  it('refuses keys that are too long, hold control characters or are not UTF-8', () => {
    assert.equal(codeOf(`/bkt/${'k'.repeat(1024)}`), undefined)
    assert.equal(codeOf(`/bkt/${'k'.repeat(1025)}`), 'key_too_long')
    assert.equal(codeOf(`/bkt/${'%C3%A4'.repeat(513)}`), 'key_too_long')
    for (const bad of ['%00', 'a%0Ab', '%1F', '%7F', '%0D']) {
      assert.equal(codeOf(`/bkt/${bad}`), 'invalid_argument', bad)
    }
    for (const bad of ['%FF', '%', '%zz', '%C3'])
      assert.equal(codeOf(`/bkt/${bad}`), 'invalid_uri', bad)
  })

  it('throws nothing but refusals, whatever the path and the host', () => {
    const latin1 = fc.string({
      unit: fc.nat(255).map((code) => String.fromCharCode(code)),
      maxLength: 60,
    })
    fc.assert(
      fc.property(latin1, latin1, (path, host) => {
        assert.notEqual(codeOf(`/${path}`, host), 'unknown error')
        assert.notEqual(codeOf(`/${path}`, `${host}.example.test`), 'unknown error')
      }),
    )
  })

  it('brings back every key that it takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 50 }), (key) => {
        const path = `/bkt/${encodeURIComponent(key)}`
        const code = codeOf(path)
        if (code !== undefined)
          return assert.ok(['invalid_argument', 'key_too_long'].includes(code))
        assert.deepEqual(parseAddress(path, undefined, []), { kind: 'object', bucket: 'bkt', key })
      }),
    )
  })
})
