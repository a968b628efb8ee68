import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { element, escapeText } from './xml.ts'

describe('XML text', () => {
  it('is escaped as MinIO escapes it', () => {
    assert.equal(escapeText(`&<>"'\n\r\t`), '&amp;&lt;&gt;&#34;&#39;&#xA;&#xD;&#x9;')
  })

  it('replaces what XML 1.0 cannot hold', () => {
    assert.equal(escapeText('a\0b\u{1F}c\u{7F}d\uD800e\uFFFE'), 'a�b�c\u{7F}d�e�')
    assert.equal(escapeText('Zoë 😀'), 'Zoë 😀')
  })

  it('is read back by a strict parser, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        let read = ''
        const parser = new SaxesParser()
        parser.on('text', (text) => (read += text))
        parser.write(element('a', value)).close()
        assert.equal(
          read,
          value.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '�'),
        )
      }),
    )
  })
})

describe('an element', () => {
  it('is never closed by itself', () => {
    assert.equal(element('Type', ''), '<Type></Type>')
  })

  it('holds elements as they are and text escaped', () => {
    assert.equal(
      element('a', [element('b', '<')], 'urn:"x"'),
      '<a xmlns="urn:&#34;x&#34;"><b>&lt;</b></a>',
    )
  })
})
