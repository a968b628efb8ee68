import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { operatorSchema } from './operator-schema.ts'

describe('a further cluster of the operator', () => {
  const parse = (cluster: object) =>
    operatorSchema.safeParse({ clusters: [{ name: 'edge', ...cluster }] }).success
  const kubeconfig = 'edge.kubeconfig'
  const issuer = 'https://edge.example.com'

  it('has a kubeconfig, an issuer, or both, so that it cannot call itself another one', () => {
    assert.deepEqual([{ kubeconfig }, { issuer }, { kubeconfig, issuer }].map(parse), [
      true,
      true,
      true,
    ])
    assert.equal(parse({}), false)
  })

  it('without a kubeconfig can only be judged by its keys', () => {
    assert.equal(parse({ issuer, identity: 'jwks' }), true)
    for (const identity of ['both', 'tokenReview']) {
      assert.equal(parse({ issuer, identity }), false)
      assert.equal(parse({ issuer, kubeconfig, identity }), true)
    }
  })
})
