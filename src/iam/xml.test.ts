import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { assert as check, property, string } from 'fast-check'
import { SaxesParser } from 'saxes'
import { Secret } from '../secret.ts'
import { toJson } from './json.ts'
import { escapeXml, toXml } from './xml.ts'

describe('the XML of the query protocol', () => {
  it('writes lists as member elements, leaves out what is absent, keeps what is empty', () => {
    const tree = { A: ['x', { B: 1 }], C: undefined, D: [], E: false, F: '' }
    assert.equal(
      toXml(tree),
      '<A><member>x</member><member><B>1</B></member></A><D></D><E>false</E><F></F>',
    )
  })

  it('reveals a secret that it is given, which nothing else does', () => {
    const tree = { SecretAccessKey: new Secret('s3cr3t') }
    assert.equal(toXml(tree), '<SecretAccessKey>s3cr3t</SecretAccessKey>')
    assert.equal(toJson(tree), '{"SecretAccessKey":"s3cr3t"}')
    assert.doesNotMatch(JSON.stringify(tree) + inspect(tree), /s3cr3t/)
  })

  it('carries every text that XML can carry unchanged, and never breaks', () => {
    check(
      property(string({ unit: 'binary' }), (text) => {
        let parsed = ''
        const parser = new SaxesParser()
        parser.on('error', (error) => {
          throw error
        })
        parser.on('text', (piece) => {
          parsed += piece
        })
        parser.write(`<a>${escapeXml(text)}</a>`).close()
        assert.equal(parsed.length, text.length)
        // oxlint-disable-next-line no-control-regex -- these are what XML cannot carry
        if (!/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/.test(text)) {
          assert.equal(parsed, text)
        }
      }),
    )
  })
})
