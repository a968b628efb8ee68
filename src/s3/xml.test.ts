import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { S3Error } from './s3-error.ts'
import { childText, parseXml } from './xml-parse.ts'
import { element, escapeXml, wrap, xmlTime } from './xml.ts'

function parse(text: string) {
  return parseXml(Buffer.from(text))
}

function refuses(text: string | Uint8Array, message: string): void {
  assert.throws(
    () => parseXml(Buffer.from(text)),
    (error) => error instanceof S3Error && error.code === 'malformed_xml',
    message,
  )
}

describe('XML in (XML 1.0; no document types)', () => {
  it('reads elements with or without a namespace', () => {
    const tree = parse(
      '<s:Delete xmlns:s="x"><s:Key>a&amp;b</s:Key><Quiet><![CDATA[true]]></Quiet></s:Delete>',
    )
    assert.equal(tree.name, 'Delete')
    assert.equal(childText(tree, 'Key'), 'a&b')
    assert.equal(childText(tree, 'Quiet'), 'true')
    assert.equal(childText(tree, 'Other'), undefined)
  })

  it('refuses document types, foreign entities, and what is not one well-formed document', () => {
    refuses('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'doctype')
    refuses('<a>&unknown;</a>', 'entity')
    refuses('<a><b></a>', 'crossed')
    refuses('<a/>trailing', 'trailing text')
    refuses('<a/><b/>', 'two roots')
    refuses('', 'nothing')
    refuses('<a', 'cut off')
    refuses(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]), 'not UTF-8')
  })

  it('refuses a bomb of depth before it recurses', () => {
    refuses('<a>'.repeat(50_000), 'depth')
  })

  it('takes names that are special to JavaScript as plain names', () => {
    const tree = parse('<a><__proto__>x</__proto__><constructor>y</constructor></a>')
    assert.equal(childText(tree, '__proto__'), 'x')
    assert.equal(childText(tree, 'constructor'), 'y')
  })

  it('refuses a doubled element where one is expected', () => {
    assert.throws(() => childText(parse('<a><K>1</K><K>2</K></a>'), 'K'), S3Error)
  })

  it('throws nothing but malformed_xml, whatever comes', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 100 }).map((text) => Buffer.from(`<a>${text}</a>`)),
      fc
        .string({
          maxLength: 100,
          unit: fc.constantFrom('<', '>', '/', '&', ';', '!', '[', ']', 'a', '"', '?', '-'),
        })
        .map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(anything, (bytes) => {
        try {
          parseXml(bytes)
        } catch (error) {
          assert.ok(error instanceof S3Error && error.code === 'malformed_xml')
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('XML out', () => {
  it('brings every text back that XML can carry', () => {
    const carriable = fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((text) => escapeXml(text).includes('\ufffd') === text.includes('\ufffd'))
    fc.assert(
      fc.property(carriable, (text) => {
        assert.equal(childText(parse(wrap('a', element('Key', text))), 'Key'), text)
      }),
    )
  })

  it('leaves no character that could begin markup or be lost', () => {
    assert.equal(escapeXml(`<&>"'\r`), '&lt;&amp;&gt;&quot;&apos;&#xD;')
    assert.equal(escapeXml('\0\u0001\uffff'), '\ufffd\ufffd\ufffd')
  })

  it('writes instants in whole seconds, like the Last-Modified header', () => {
    assert.equal(xmlTime(new Date('2026-01-02T03:04:05.678Z')), '2026-01-02T03:04:05.000Z')
  })
})
