import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accepts } from './routing.ts'

const form = [['content-type', 'application/x-www-form-urlencoded']] as const
const take = (
  method: string,
  query: string,
  headers: readonly (readonly [string, string])[] = [],
) => accepts({ method, query, headers })

describe('the STS face takes', () => {
  it('forms that are posted, whatever follows their type and however it is written', () => {
    for (const type of ['', '; charset=utf-8', ';x']) {
      assert.ok(take('POST', '', [['Content-Type', `application/x-www-form-urlencoded${type}`]]))
    }
    assert.ok(take('POST', '', [['CONTENT-TYPE', 'Application/X-WWW-Form-Urlencoded']]))
  })

  it('queries with an action, by POST and GET', () => {
    for (const method of ['POST', 'GET']) {
      assert.ok(take(method, 'Action=AssumeRole'))
      assert.ok(take(method, 'Version=2011-06-15&Action=X'))
    }
  })
})

describe('the STS face leaves alone', () => {
  it('other methods', () => {
    for (const method of ['PUT', 'HEAD', 'DELETE', 'OPTIONS', 'post', '']) {
      assert.ok(!take(method, 'Action=AssumeRole', form))
    }
  })

  it('requests without form and without action', () => {
    assert.ok(!take('GET', '', form))
    assert.ok(!take('GET', 'action=AssumeRole'))
    assert.ok(!take('GET', 'XAction=AssumeRole&prefix=Action'))
    assert.ok(!take('POST', 'delete', [['content-type', 'application/xml']]))
    assert.ok(!take('POST', '', [['content-type', 'multipart/form-data; boundary=x']]))
  })
})
