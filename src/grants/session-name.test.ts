import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { chooseSessionName } from './session-name.ts'
import { Trace } from './trace.ts'

const choose = (asked: string | undefined, subject = 'alice') =>
  chooseSessionName(asked, subject, new Trace())

describe('the session name (AWS STS, RoleSessionName)', () => {
  it('is the one asked for', () => {
    for (const name of ['ab', 'a+b=c,d.e@f-g_h', 'x'.repeat(64)]) assert.equal(choose(name), name)
  })

  it('refuses what AWS refuses', () => {
    for (const name of ['a', 'x'.repeat(65), 'a b', 'a/b', 'a:b', 'é1', 'ab\n', '../..', '*']) {
      assert.throws(() => choose(name), { code: 'invalid_parameter' }, JSON.stringify(name))
    }
  })

  it('is made from the subject when none is asked for', () => {
    assert.equal(choose(undefined, 'auth0|5f7c'), 'auth0-5f7c')
    assert.equal(choose('', 'uid=a,ou=b/c'), 'uid=a,ou=b-c')
    assert.equal(choose(undefined, 'x'), 'x-')
  })

  it('is a legal name whatever the subject', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (subject) => {
        const name = choose(undefined, subject)
        assert.equal(choose(name), name)
      }),
    )
  })
})
