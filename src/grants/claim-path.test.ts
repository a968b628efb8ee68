import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stepsOf } from './claim-path.ts'
import { readPolicyClaim } from './policy-claim.ts'

describe('the path to a claim', () => {
  const paths: readonly (readonly [string, readonly string[]])[] = [
    ['roles', ['roles']],
    ['realm_access.roles', ['realm_access', 'roles']],
    ['resource_access.my\\.app.roles', ['resource_access', 'my.app', 'roles']],
    ['a\\\\.b', ['a\\', 'b']],
    ['a\\b.c', ['a\\b', 'c']],
    ['a..b', ['a', '', 'b']],
    ['https://x\\.example/a.b', ['https://x.example/a', 'b']],
    ['a\\', ['a\\']],
    ['🦊.é', ['🦊', 'é']],
  ]
  for (const [path, steps] of paths) {
    it(`${path} has ${steps.length} steps`, () => assert.deepEqual(stepsOf(path), steps))
  }

  it("leads to Keycloak's roles, of the realm and of a client, and nowhere else", () => {
    const claims = new Map<string, unknown>([
      ['realm_access', { roles: ['readonly', 'offline_access'] }],
      ['resource_access', { 'my.app': { roles: ['writer'] }, my: { app: { roles: ['trap'] } } }],
    ])
    const read = (claimName: string) =>
      readPolicyClaim(claims, { kind: 'claim', provider: 'kc', claimName, dottedPath: true })
    assert.deepEqual(read('realm_access.roles'), ['offline_access', 'readonly'])
    assert.deepEqual(read('resource_access.my\\.app.roles'), ['writer'])
    assert.deepEqual(read('resource_access.my.app.roles'), ['trap'])
    assert.deepEqual(read('resource_access.other.roles'), [])
    assert.deepEqual(read('realm_access'), [])
  })
})
