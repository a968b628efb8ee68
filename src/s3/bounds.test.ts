import { describe } from 'node:test'
import { SigV4Error } from '../sigv4/index.ts'
import { countUp, keepsItsBounds, repeatTo } from '../../test/bounds/index.ts'
import { parseAddress } from './address.ts'
import {
  evaluateRead,
  parseDeleteConditions,
  parseSize,
  parseWriteConditions,
  rangeStillFits,
} from './conditions.ts'
import { parseCopySource } from './copy-source.ts'
import { assertForm, lengthRange, parseFormPolicy } from './form-policy.ts'
import { readForm } from './form.ts'
import { parseChecksumChoice, parseClaimedValue, parseIntegrity } from './integrity.ts'
import { parseObjectAttributes, refuseUnserved } from './object-attributes.ts'
import { parseRange, resolveRange } from './range.ts'
import { readFields } from './request-fields.ts'
import { S3Error } from './s3-error.ts'
import { parseTagging, parseTagHeader } from './tags.ts'
import { parseXml } from './xml-parse.ts'

const refuses = (error: unknown) => error instanceof S3Error || error instanceof SigV4Error
const now = new Date('2026-01-01T12:00:00Z')
const one = (name: string, value: string) => new Map([[name, value]])

describe('bounds of what S3 requests hold', () => {
  keepsItsBounds({
    name: 'parseAddress',
    parse: (text) => {
      parseAddress(text, undefined, [])
      parseAddress('/key', text, ['s3.example.test', 'example.test'])
    },
    refuses,
    words: ['/', '%2F', '%c3%a4', '%', '.', 'xn--', '-'],
    frames: [(rest) => rest, (rest) => `/bucket/${rest}`, (rest) => `${rest}.s3.example.test`],
  })
  keepsItsBounds({
    name: 'readFields of a query',
    parse: (query) => {
      readFields({ headers: [], query }, false)
      readFields({ headers: [], query }, true)
    },
    refuses,
    words: ['&', '=', '%26', '+', 'x-amz-', 'a', '%'],
    hostile: {
      'thousands of parameters': countUp((n) => `p${n}=&`),
      'thousands of names of moved headers': countUp((n) => `x-amz-${n}=1&`),
    },
  })
  keepsItsBounds({
    name: 'readFields of headers',
    parse: (text) => readFields({ headers: headersOf(text), query: '' }, true),
    refuses,
    words: [':\n', 'x-amz-meta-a:', 'accept:', 'x-amz-', 'host:', '__proto__:', ','],
    hostile: {
      'thousands of headers': countUp((n) => `x-amz-${n}:\n`),
      'one header thousands of times': repeatTo('accept:a\n', 65_536),
      'one name of metadata thousands of times': repeatTo('x-amz-meta-a:a\n', 65_536),
    },
  })
  keepsItsBounds({
    name: 'parseObjectAttributes',
    parse: (text) => {
      const headers = new Map(headersOf(text))
      refuseUnserved(headers)
      parseObjectAttributes(headers)
    },
    refuses,
    words: [':\n', 'x-amz-meta-', ',', 'content-encoding:', 'aws-chunked', '/'],
    frames: [
      (rest) => rest,
      (rest) => `content-encoding:${rest}`,
      (rest) => `x-amz-website-redirect-location:${rest}`,
      (rest) => `x-amz-meta-a:${rest}`,
    ],
    hostile: { 'thousands of names': countUp((n) => `x-amz-meta-${n}:\n`) },
  })
  keepsItsBounds({
    name: 'parseTagHeader',
    parse: parseTagHeader,
    refuses,
    words: ['&', '=', '%26', '%', '+', 'a', 'ä'],
    frames: [(rest) => rest, (rest) => `a=${rest}`],
    hostile: { 'thousands of tags': countUp((n) => `t${n}=v&`) },
  })
  keepsItsBounds({
    name: 'parseCopySource',
    parse: parseCopySource,
    refuses,
    words: ['/', '?versionId=', '%2F', '%', 'arn:', 'a'],
    frames: [
      (rest) => rest,
      (rest) => `/bucket/${rest}`,
      (rest) => `/bucket/key?versionId=${rest}`,
    ],
  })
  keepsItsBounds({
    name: 'parseRange',
    parse: (text) => {
      const range = parseRange(text)
      if (range !== undefined) resolveRange(range, 1000)
    },
    refuses,
    words: ['bytes=', '0', '-', ',', '9'],
    frames: [(rest) => rest, (rest) => `bytes=${rest}-`, (rest) => `bytes=-${rest}`],
  })
  for (const name of ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    keepsItsBounds({
      name: `the condition ${name} of a read`,
      parse: (text) => evaluateRead(one(name, text), { etag: 'a', lastModified: now }, now),
      refuses,
      words: ['"', 'W/', ',', '*', 'Mon, 01 Jan', '2026-', ':', '('],
      frames: [(rest) => rest, (rest) => `"${rest}"`],
    })
  }
  keepsItsBounds({
    name: 'rangeStillFits',
    parse: (text) => rangeStillFits(one('if-range', text), { etag: 'a', lastModified: now }),
    refuses,
    words: ['"', 'W/', 'Mon, 01 Jan', '2026-', ':', '('],
    frames: [(rest) => rest, (rest) => `"${rest}"`],
  })
  keepsItsBounds({
    name: 'parseWriteConditions',
    parse: (text) => parseWriteConditions(one('if-match', text)),
    refuses,
    words: ['"', 'W/', ',', '*'],
  })
  keepsItsBounds({
    name: 'parseDeleteConditions',
    parse: (text) => {
      parseDeleteConditions(one('x-amz-if-match-last-modified-time', text))
      parseDeleteConditions(one('x-amz-if-match-size', text))
      parseSize('Size', text)
    },
    refuses,
    words: ['1', 'Mon, 01 Jan 2026', '2026-01-01T', ' ', '(', ')', '+', ':'],
  })
  keepsItsBounds({
    name: 'parseIntegrity',
    parse: (text) => {
      for (const name of ['content-md5', 'x-amz-checksum-crc32', 'x-amz-trailer']) {
        parseIntegrity(one(name, text), true)
      }
    },
    refuses,
    words: ['A', '=', '/', 'x-amz-checksum-crc32', ' '],
  })
  keepsItsBounds({
    name: 'parseChecksumChoice and parseClaimedValue',
    parse: (text) => {
      parseClaimedValue(new Map(headersOf(text)))
      parseChecksumChoice(one('x-amz-checksum-algorithm', text))
    },
    refuses,
    words: [':\n', 'x-amz-checksum-', 'sha256', 'CRC32'],
  })
})

describe('bounds of what S3 bodies hold', () => {
  keepsItsBounds({
    name: 'parseXml and parseTagging',
    parse: (text) => parseTagging(parseXml(Buffer.from(text))),
    refuses,
    words: [
      '<a>',
      '</a>',
      '<a/>',
      '&amp;',
      '&#x41;',
      '<',
      ' a=""',
      '<!--',
      ']]>',
      '<![CDATA[',
      '<?a',
    ],
    frames: [
      (rest) => rest,
      (rest) => `<a>${rest}</a>`,
      (rest) => `<a ${rest}/>`,
      (rest) => `<a b="${rest}"/>`,
      (rest) => `<Tagging><TagSet><Tag><Key>${rest}</Key><Value/></Tag></TagSet></Tagging>`,
    ],
    hostile: {
      'thousands of attributes': `<a ${countUp((n) => `b${n}="" `)}/>`,
      'thousands of namespaces': `<a ${countUp((n) => `xmlns:b${n}="" `)}/>`,
      'thousands of names': `<a>${countUp((n) => `<b${n}/>`)}</a>`,
      'a document type': `<!DOCTYPE a [${countUp((n) => `<!ENTITY e${n} "&e${n + 1};">`)}]><a/>`,
      'an instruction without end': `<?xml ${'a'.repeat(65_000)}`,
      'thousands of tags': `<Tagging><TagSet>${repeatTo('<Tag><Key/><Value/></Tag>', 65_000)}</TagSet></Tagging>`,
    },
  })
  const expiration = '"expiration":"2030-01-01T00:00:00Z"'
  keepsItsBounds({
    name: 'parseFormPolicy of base64',
    parse: parseFormPolicy,
    refuses,
    words: ['A', '=', '\n', ' ', '+'],
    frames: [(rest) => rest, (rest) => `${rest}!`, (rest) => `e30=${rest}!`],
  })
  keepsItsBounds({
    name: 'parseFormPolicy of JSON, and assertForm',
    parse: (json) => {
      const policy = parseFormPolicy(Buffer.from(json).toString('base64'))
      lengthRange(policy)
      assertForm(
        policy,
        new Map([
          ['bucket', ''],
          ['content-type', repeatTo('a,', 32_768)],
        ]),
        now,
      )
    },
    refuses,
    words: ['[', ']', '{"a":', '{"a":"b"},', '["eq","$a","b"],', '"', '\\u0061', ',', '1'],
    frames: [
      (rest) => rest,
      (rest) => `{${expiration},"conditions":[${rest}["eq","$a","b"]]}`,
      (rest) => `{${expiration},"conditions":[["eq","$a","${rest}"]]}`,
      (rest) => `{${expiration},"conditions":[["content-length-range",${rest},1]]}`,
    ],
    hostile: {
      'a length within lists': `{${expiration},"conditions":[["content-length-range",${'['.repeat(16_000)}${']'.repeat(16_000)},1]]}`,
      'thousands of conditions on one field': `{${expiration},"conditions":[${repeatTo('["starts-with","$content-type","a"],', 32_000)}{"bucket":""}]}`,
      'thousands of members': `{${countUp((n) => `"m${n}":1,`)}${expiration}}`,
    },
  })
  keepsItsBounds({
    name: 'readForm',
    parse: async (text) => {
      const form = await readForm(arriving(text), 'multipart/form-data; boundary=b')
      for await (const _ of form.file) continue
    },
    refuses,
    words: ['--b\r\n', '\r\n', '--b', '-', part('a'), 'Content-Type: a\r\n', '\r\n\r\n', ';'],
    frames: [
      (rest) => rest,
      (rest) => `${part('a')}${rest}\r\n--b--\r\n`,
      (rest) => `${part('file"; filename="f')}${rest}\r\n--b--\r\n`,
      (rest) => `--b\r\nContent-Disposition: form-data; ${rest}\r\n\r\n\r\n--b--\r\n`,
    ],
    hostile: {
      'thousands of fields': countUp((n) => `${part(`f${n}`)}\r\n`),
      'thousands of parameters of one field': `--b\r\nContent-Disposition: form-data; ${countUp((n) => `p${n}=1; `, 8000)}\r\n\r\n`,
    },
  })
  keepsItsBounds({
    name: 'readForm by its content type',
    parse: (type) => readForm(arriving(''), type),
    refuses,
    words: [';', 'boundary=', '"', '\\', '=', 'a', "*0*=utf-8''"],
    frames: [
      (rest) => rest,
      (rest) => `multipart/form-data; ${rest}`,
      (rest) => `multipart/form-data; boundary=${rest}`,
      (rest) => `multipart/form-data; boundary="${rest}"`,
    ],
  })
})

function part(name: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`
}

async function* arriving(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text, 'latin1')
}

/** A header a line; what has no colon is none. */
function headersOf(text: string): readonly (readonly [string, string])[] {
  return text.split('\n').flatMap((line): [string, string][] => {
    const colon = line.indexOf(':')
    return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]]
  })
}
