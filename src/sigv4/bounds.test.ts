import { createSecretKey } from 'node:crypto'
import { describe } from 'node:test'
import { countUp, keepsItsBounds, repeatTo } from '../../test/bounds/index.ts'
import { ChunkDecoder } from './chunk-decoder.ts'
import { openBody, readAuthentication, SigV4Error, verifySignature } from './index.ts'
import type { WireRequest } from './index.ts'
import { parseAuthorization } from './authorization-header.ts'
import { parseCredential } from './credential.ts'
import { squeeze } from './headers.ts'
import { parsePayloadMode } from './payload-mode.ts'
import { arriving, read } from './testing/chunks.ts'
import { put } from './testing/signed-put.ts'
import { parseDateHeader, parseTimestamp } from './timestamp.ts'
import { parseTrailerName, parseTrailerSection } from './trailers.ts'
import { canonicalPath, canonicalQuery, decodePath, encodePath, parseQuery } from './uri.ts'

const refuses = (error: unknown) => error instanceof SigV4Error
const expect = { services: ['s3'], now: new Date('2026-01-01T12:00:00Z') }
const signingKey = createSecretKey(Buffer.alloc(32))
const credential = 'AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request'
const signature = '0'.repeat(64)
const date = ['x-amz-date', '20260101T120000Z'] as const
const hash = ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'] as const

/** From the claim to the proof that fails. */
function judge(request: WireRequest): void {
  const authentication = readAuthentication(request, expect)
  if (authentication.kind !== 'anonymous') verifySignature(request, authentication, signingKey)
}

function wire(rest: Partial<WireRequest>): WireRequest {
  return { method: 'GET', path: '/', query: '', headers: [], ...rest }
}

function authorization(signedHeaders: string): readonly [string, string] {
  const value = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`
  return ['Authorization', value]
}

describe('bounds of what a signed request holds', () => {
  keepsItsBounds({
    name: 'the paths of canonical requests',
    parse: (text) => {
      canonicalPath(text)
      encodePath(decodePath(text))
    },
    refuses,
    words: ['/', '%2F', '%', '%c3%a4', '+', 'ä', '..'],
    frames: [(rest) => rest, (rest) => `/${rest}`],
  })
  keepsItsBounds({
    name: 'encodePath of bytes',
    parse: (text) => encodePath(Buffer.from(text, 'latin1')),
    refuses,
    words: ['/', '\u00c3\u00a4', '\u00ff', '\u00f0\u009f\u0098\u0080', '('],
  })
  keepsItsBounds({
    name: 'the queries of canonical requests',
    parse: (text) => canonicalQuery(parseQuery(text), 'X-Amz-Signature'),
    refuses,
    words: ['&', '=', '%26', '%', '+', 'a=&', '('],
    hostile: {
      'thousands of parameters': countUp((n) => `p${n}=&`),
      'thousands of values': countUp((n) => `p=${n}&`),
    },
  })
  keepsItsBounds({
    name: 'the authorization header',
    parse: (text) => {
      judge(wire({ headers: [['authorization', text], date, hash, ['host', 'a']] }))
      parseAuthorization(text)
    },
    refuses,
    words: ['AWS4-HMAC-SHA256 ', 'Credential=', 'SignedHeaders=', ',', ' ', '\t', ';', '/', '='],
    frames: [
      (rest) => rest,
      (rest) => `AWS4-HMAC-SHA256 ${rest}`,
      (rest) => `AWS4-HMAC-SHA256 Credential=${rest}, SignedHeaders=host, Signature=${signature}`,
      (rest) => authorization(rest)[1],
    ],
    hostile: {
      'thousands of signed headers': authorization(countUp((n) => `h${n};`).slice(0, -1))[1],
    },
  })
  keepsItsBounds({
    name: 'the headers that a signature covers',
    parse: (text) => {
      const headers = text.split('\n').map((line) => [line.slice(0, 7), line.slice(8)] as const)
      const names = [...new Set(headers.map(([name]) => name.toLowerCase())), 'host']
      const rest = [authorization(names.join(';')), date, hash, ['host', 'a']] as const
      judge(wire({ headers: [...headers, ...rest] }))
    },
    refuses,
    words: ['x-amz-a: ', 'x-header:', '\n', '\t', ' ', '  a'],
    frames: [(rest) => rest, (rest) => `x-amz-a:${rest}`],
    hostile: {
      'thousands of headers': countUp((n) => `${`h${n}`.padEnd(7, '-')}:\n`, 32_000),
      'thousands of x-amz headers': countUp((n) => `x-amz-${n.toString(36)}:\n`, 32_000),
      'one header thousands of times': repeatTo('x-amz-a:a\n', 64_000),
    },
  })
  keepsItsBounds({
    name: 'the headers that a signature does not cover',
    parse: (text) => {
      const headers = text.split('\n').map((line) => [line, ''] as const)
      const rest = [authorization('host'), date, hash, ['host', 'a']] as const
      judge(wire({ headers: [...headers, ...rest] }))
    },
    refuses,
    words: ['x-amz-a\n', 'x-amz-', 'x-amz-date\n', 'authorization\n', 'x-amz-security-token\n'],
    hostile: {
      'thousands of x-amz headers': countUp((n) => `x-amz-${n}\n`, 32_000),
    },
  })
  keepsItsBounds({
    name: 'thousands of headers beside thousands of signed ones',
    parse: (text) => {
      const [present = '', signed = ''] = text.split('|')
      const headers = present.split(';').map((name) => [name, ''] as const)
      judge(wire({ headers: [...headers, authorization(signed), date, hash, ['host', 'a']] }))
    },
    refuses,
    words: ['a;', 'x-amz-b;', '|', ';'],
    hostile: {
      different: `${countUp((n) => `x-amz-${n};`, 32_000)}|${countUp((n) => `a${n};`, 32_000)}host`,
      same: `${countUp((n) => `b${n};`, 32_000)}|${countUp((n) => `b${n};`, 32_000)}host;x-amz-content-sha256;x-amz-date`,
    },
  })
  keepsItsBounds({
    name: 'a presigned query',
    parse: (query) => judge(wire({ query, headers: [['host', 'a']] })),
    refuses,
    words: ['&', '=', 'X-Amz-Algorithm=AWS4-HMAC-SHA256&', 'X-Amz-Date=', 'X-Amz-Expires=9&', '%'],
    frames: [
      (rest) => rest,
      (rest) =>
        `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=20260101T120000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=${signature}&${rest}`,
      (rest) =>
        `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=20260101T120000Z&X-Amz-Expires=900&X-Amz-Signature=${signature}&X-Amz-SignedHeaders=${rest}`,
    ],
    hostile: { 'thousands of parameters': countUp((n) => `X-Amz-${n}=&`) },
  })
  keepsItsBounds({
    name: 'credentials, times, payload modes and white space',
    parse: (text) => {
      squeeze(text)
      parseTimestamp(text)
      parseDateHeader(text)
      parsePayloadMode(text)
      parseCredential(text)
    },
    refuses,
    words: ['/', '0', 'Mon, 01 Jan ', '2026-01-01T', ' ', '\t', 'STREAMING-', 'a'],
  })
  keepsItsBounds({
    name: 'parseCredential',
    parse: (text) => parseCredential(text),
    refuses,
    words: ['/', 'a', '20260101', 'aws4_request', 's3'],
    frames: [(rest) => rest, (rest) => `${rest}/20260101/us-east-1/s3/aws4_request`],
  })
})

describe('bounds of the framing of a body', () => {
  keepsItsBounds({
    name: 'the chunks of an unsigned body',
    parse: (text) => {
      const decoder = new ChunkDecoder({
        decodedLength: 65_536,
        minChunkBytes: 0,
        trailer: 'x-amz-checksum-crc32',
      })
      decoder.push(Buffer.from(text, 'latin1'))
      decoder.end()
    },
    refuses,
    words: ['1\r\na\r\n', '0\r\n', '\r\n', '0', 'f', ';', 'x-amz-checksum-crc32:'],
    frames: [(rest) => rest, (rest) => `1\r\na\r\n${rest}`, (rest) => `0\r\n${rest}`],
  })
  keepsItsBounds({
    name: 'the chunks of an unsigned body, in pieces of seven bytes',
    parse: (text) => {
      const decoder = new ChunkDecoder({ decodedLength: 65_536, minChunkBytes: 0 })
      const bytes = Buffer.from(text, 'latin1')
      for (let at = 0; at < bytes.length; at += 7) decoder.push(bytes.subarray(at, at + 7))
      decoder.end()
    },
    refuses,
    words: ['1\r\na\r\n', '0\r\n', '\r\n', 'f'],
    frames: [(rest) => rest, (rest) => `ffff\r\n${rest}`],
  })
  const signed = put('STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER')
  keepsItsBounds({
    name: 'the chunks of a signed body',
    parse: (text) => {
      const declared = {
        decodedLength: 65_536,
        maxBytes: 65_536,
        trailer: 'x-amz-checksum-crc32',
      }
      return read(openBody(signed, arriving(Buffer.from(text, 'latin1')), declared).stream)
    },
    refuses,
    words: ['1;chunk-signature=a\r\na\r\n', '0;', 'chunk-signature=', '\r\n', ';'],
    frames: [(rest) => rest, (rest) => `1;chunk-signature=${rest}\r\n`],
  })
  keepsItsBounds({
    name: 'parseTrailerSection and parseTrailerName',
    parse: (text) => {
      parseTrailerSection(text.slice(0, 4096), 'x-amz-checksum-crc32', true)
      parseTrailerName(text)
    },
    refuses,
    words: ['x-amz-checksum-crc32:', ' ', '\t', '\r\n', '\n', 'a', 'x-amz-trailer-signature:'],
    frames: [
      (rest) => rest,
      (rest) => `x-amz-checksum-crc32:a${rest.slice(0, 4000)}a\n\r\n`,
      (rest) => `x-amz-checksum-crc32:${rest.slice(0, 4000)}\n\r\n`,
    ],
  })
})
