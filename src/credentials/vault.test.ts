import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { newMasterKey } from './testing/credentials-room.ts'
import { createVault, VaultError } from './vault.ts'

describe('the vault', () => {
  const vault = createVault(newMasterKey())

  it('gives back what it sealed, for the same purpose', () => {
    for (const text of ['', 'secret', 'ä€😀', 'x'.repeat(100_000)]) {
      assert.equal(vault.open('p', vault.seal('p', text)), text)
    }
  })

  it('seals the same text differently each time, and shows nothing of it', () => {
    const sealed = vault.seal('p', 'correct horse')
    assert.notEqual(vault.seal('p', 'correct horse'), sealed)
    assert.doesNotMatch(Buffer.from(sealed.slice(3), 'base64url').toString('latin1'), /horse/)
  })

  it('refuses another purpose, so that no record can be moved to another place', () => {
    const sealed = vault.seal('accesskey/alice', 'secret')
    for (const purpose of ['accesskey/bob', 'accesskey/alice ', '', 'accesskey']) {
      assert.throws(() => vault.open(purpose, sealed), VaultError)
    }
  })

  it('refuses another master key', () => {
    const sealed = vault.seal('p', 'secret')
    assert.throws(() => createVault(newMasterKey()).open('p', sealed), VaultError)
  })

  it('refuses every changed, missing or added character', () => {
    const sealed = vault.seal('p', 'secret')
    for (let index = 0; index < sealed.length; index += 1) {
      const other = sealed[index] === 'A' ? 'B' : 'A'
      const changed = sealed.slice(0, index) + other + sealed.slice(index + 1)
      assert.throws(() => vault.open('p', changed), VaultError)
      assert.throws(() => vault.open('p', sealed.slice(0, index)), VaultError)
    }
    for (const more of ['A', '=', '\n'])
      assert.throws(() => vault.open('p', sealed + more), VaultError)
  })

  it('shows no key when it is printed', () => {
    assert.doesNotMatch(inspect(vault, { depth: 9, showHidden: true }), /[0-9a-f]{32}/)
  })
})
