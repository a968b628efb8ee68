import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { currentPage, freshPage } from '../scripts/config-reference.ts'

describe('docs/configuration.md', () => {
  it('says what the schema says; if not, run: npm run docs', () => {
    assert.equal(currentPage(), freshPage())
  })
})
