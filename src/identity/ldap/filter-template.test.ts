import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { BerReader, BerWriter, FilterParser, type Filter } from 'ldapts'
import { parseFilterTemplate } from './filter-template.ts'

const user = { placeholders: ['s'] } as const
const group = { placeholders: ['s', 'd'] } as const

/** What goes over the wire. */
function bytesOf(filter: Filter): Buffer {
  const writer = new BerWriter()
  filter.write(writer)
  return writer.buffer
}

describe('search filters with placeholders (RFC 4515; minio-sts 10.1)', () => {
  it('puts the login name in as a value', () => {
    const template = parseFilterTemplate('(&(objectClass=person)(uid=%s))', user)
    assert.equal(String(template.forUser({ s: 'alice' })), '(&(objectClass=person)(uid=alice))')
  })

  for (const name of [
    '*)(uid=*',
    '*',
    'a)(|(uid=*',
    '\\2a',
    'a\0b',
    ')(',
    '%d',
    '%s',
    '$&',
    '$1',
  ]) {
    it(`takes ${JSON.stringify(name)} for a name and for nothing else`, () => {
      const filter = parseFilterTemplate('(|(uid=%s)(mail=%s))', user).forUser({ s: name })
      const back = FilterParser.parse(new BerReader(bytesOf(filter)))
      assert.deepEqual(
        (back as unknown as { filters: { value: string }[] }).filters.map(({ value }) => value),
        [name, name],
      )
    })
  }

  it('keeps the shape of the filter for every name', () => {
    const template = parseFilterTemplate(
      '(&(cn=%s*)(!(sn=*x%s))(a:dn:2.5.13.5:=%s)(b>=%s)(c~=%s))',
      user,
    )
    const shape = (filter: Filter) => String(filter).replaceAll('\\', '').replaceAll('NAME', '')
    const plain = shape(template.forUser({ s: 'NAME' }))
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (s) => {
        const written = String(template.forUser({ s }))
        const structure = written.replaceAll(/\\[0-9a-f]{2}/g, '')
        assert.equal(structure.match(/[()]/g)?.join(''), plain.match(/[()]/g)?.join(''))
        assert.equal(structure.match(/\*/g)?.length, 2)
      }),
    )
  })

  it('never reads what was filled in again', () => {
    const template = parseFilterTemplate('(&(memberUid=%s)(member=%d))', group)
    assert.equal(String(template.forUser({ s: '%d', d: '%s' })), '(&(memberUid=%d)(member=%s))')
  })

  it('follows groups in groups by the rule of Active Directory', () => {
    const rules = { ...group, nested: true }
    const template = parseFilterTemplate('(&(objectClass=group)(member=%d))', rules)
    assert.equal(
      String(template.forUser({ d: 'cn=a,dc=x' })),
      '(&(objectClass=group)(member:1.2.840.113556.1.4.1941:=cn=a,dc=x))',
    )
    assert.throws(() => parseFilterTemplate('(memberUid=%s)', rules), /nested groups/)
  })

  it('asks for anybody who has what the name is compared with', () => {
    const template = parseFilterTemplate(
      '(&(objectClass=person)(|(uid=%s)(mail=%s@x))(!(off=1)))',
      user,
    )
    assert.equal(
      String(template.forAnybody()),
      '(&(objectClass=person)(|(uid=*)(mail=*))(!(off=1)))',
    )
    assert.equal(String(parseFilterTemplate('(cn=*%s*)', user).forAnybody()), '(cn=*)')
  })

  it('reads letters that the operator wrote as bytes', () => {
    const filter = parseFilterTemplate('(&(ou=\\d0\\98\\2a)(uid=%s))', user).forUser({ s: 'a' })
    assert.ok(bytesOf(filter).includes(Buffer.from('И*')))
  })

  it('puts in nothing rather than nothing at all', () => {
    const template = parseFilterTemplate('(uid=%s)', user)
    assert.throws(() => template.forUser({}), TypeError)
    assert.throws(() => template.forUser({ s: '' }), TypeError)
  })

  const wrong = {
    'no filter': '',
    'no placeholder': '(uid=alice)',
    'a placeholder that has no meaning here': '(member=%d)',
    'another letter': '(&(uid=%s)(x=%u))',
    'a placeholder as attribute': '(%s=x)',
    'a placeholder within an attribute': '(a%s=x)',
    'a placeholder as matching rule': '(&(uid=%s)(cn:%s:=x))',
    'a placeholder that comes of an escape': '(&(uid=%s)(cn=\\25s))',
    'an open parenthesis': '(&(uid=%s)',
    'a second filter behind the first': '(uid=%s)(cn=x)',
    'half an escape': '(uid=%s\\2)',
    'bytes that are not UTF-8': '(uid=%s\\ff)',
    'a very long one': `(uid=%s${'a'.repeat(5000)})`,
    'a very deep one': `${'(!'.repeat(400)}(uid=%s)${')'.repeat(400)}`,
  }
  for (const [what, text] of Object.entries(wrong)) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseFilterTemplate(text, user), TypeError)
    })
  }
})
