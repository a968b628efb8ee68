import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import { SigningKeys } from './index.ts'

const scope = { date: '20150830', region: 'us-east-1', service: 'iam' }
const secret = new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY')

function inRegion(region: string) {
  return { ...scope, region }
}

describe('signing keys', () => {
  it('derives the key of the published example', () => {
    const derived = new SigningKeys(1).get('AKID', secret, scope)
    const expected = 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9'
    assert.equal(derived.export().toString('hex'), expected)
  })

  it('gives the same object again, for an equal secret too', () => {
    const keys = new SigningKeys(2)
    const first = keys.get('AKID', secret, scope)
    assert.equal(keys.get('AKID', secret, scope), first)
    assert.equal(keys.get('AKID', new Secret(secret.reveal()), { ...scope }), first)
  })

  it('gives another key for another secret, date, region or service', () => {
    const keys = new SigningKeys(2)
    const first = keys.get('AKID', secret, scope).export().toString('hex')
    for (const other of [
      keys.get('AKID', new Secret('other'), scope),
      keys.get('AKID', secret, { ...scope, date: '20150831' }),
      keys.get('AKID', secret, { ...scope, region: 'us-east-2' }),
      keys.get('AKID', secret, { ...scope, service: 's3' }),
    ]) {
      assert.notEqual(other.export().toString('hex'), first)
    }
  })

  it('never answers with the key of a secret that was replaced', () => {
    const keys = new SigningKeys(2)
    const old = keys.get('AKID', secret, scope)
    const replaced = keys.get('AKID', new Secret('new'), scope)
    assert.notEqual(replaced, old)
    assert.equal(keys.get('AKID', new Secret('new'), scope), replaced)
  })

  it('forgets all of an access key and nothing else', () => {
    const keys = new SigningKeys(3)
    const [a, b, other] = [
      keys.get('AKID', secret, scope),
      keys.get('AKID', secret, inRegion('b')),
      keys.get('OTHER', secret, scope),
    ]
    keys.forget('AKID')
    assert.notEqual(keys.get('AKID', secret, scope), a)
    assert.notEqual(keys.get('AKID', secret, inRegion('b')), b)
    assert.equal(keys.get('OTHER', secret, scope), other)
  })

  it('holds no more than its capacity, and the least recently used go', () => {
    const keys = new SigningKeys(2)
    const a = keys.get('A', secret, scope)
    const b = keys.get('B', secret, scope)
    assert.equal(keys.get('A', secret, scope), a)
    keys.get('C', secret, scope)
    assert.equal(keys.get('A', secret, scope), a)
    assert.notEqual(keys.get('B', secret, scope), b)
  })

  it('lets a flood of regions push out only the keys of the access key it names', () => {
    const keys = new SigningKeys(2)
    const mine = keys.get('MINE', secret, scope)
    const flooded = keys.get('FLOODED', secret, scope)
    for (let i = 0; i < 100; i++) keys.get('FLOODED', secret, inRegion(`r${i}`))
    assert.equal(keys.get('MINE', secret, scope), mine)
    assert.notEqual(keys.get('FLOODED', secret, scope), flooded)
  })
})
