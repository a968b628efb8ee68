import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { format, inspect } from 'node:util'
import { pino } from 'pino'
import { Secret } from './secret.ts'

const text = 'correct horse battery staple'

describe('a Secret', () => {
  const secret = new Secret(text)

  it('is shown by nothing that prints', () => {
    const error = new Error('failed with '.concat(String(secret)), { cause: secret })
    const shown = [
      String(secret),
      ['', secret].join(''),
      JSON.stringify({ secret, list: [secret], deep: { deeper: { secret } } }),
      inspect(secret, { showHidden: true, depth: 9 }),
      inspect({ list: [secret], map: new Map([['k', secret]]) }, { showHidden: true, depth: 9 }),
      inspect(error),
      format('%s %o %O %j %d', secret, secret, secret, secret, secret),
      Object.keys(secret).join(),
      JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
      JSON.stringify(Object.assign({}, secret)),
      JSON.stringify(Object.entries(secret)),
      [secret, secret].join(),
      error.message,
    ]
    for (const line of shown) assert.doesNotMatch(line, /horse/)
    assert.match(shown[2] ?? '', /\[secret\]/)
  })

  it('is not shown by the logger, however deep it stands', () => {
    const lines: string[] = []
    const log = pino({ base: null }, { write: (line: string) => lines.push(line) })
    log.info({ secret, request: { headers: { token: secret } } }, 'got %s and %j', secret, secret)
    log.error(new Error('failed'.concat(String(secret)), { cause: secret }))
    assert.equal(lines.length, 2)
    assert.doesNotMatch(lines.join(), /horse/)
  })

  it('cannot be cloned out of its shell', () => {
    assert.doesNotMatch(inspect(structuredClone(secret), { showHidden: true }), /horse/)
  })

  it('is given away by reveal alone', () => {
    assert.equal(secret.reveal(), text)
  })

  it('equals the same text only', () => {
    assert.ok(secret.equals(new Secret(text)))
    for (const other of ['', 'correct', `${text} `, text.toUpperCase(), `${text}\0`]) {
      assert.equal(secret.equals(new Secret(other)), false)
      assert.equal(new Secret(other).equals(secret), false)
    }
    assert.ok(new Secret('').equals(new Secret('')))
  })

  it('has the SHA-256 of its UTF-8 text as fingerprint', () => {
    const sha256 = createHash('sha256').update('pässwörd', 'utf8').digest('hex')
    assert.equal(new Secret('pässwörd').fingerprint(), sha256)
  })
})
