import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { basename } from 'node:path'
import { currentPage, freshPage, pages } from '../scripts/config-reference.ts'

for (const page of pages) {
  describe(`docs/${basename(page.file)}`, () => {
    it('says what the schema says; if not, run: npm run docs', () => {
      assert.equal(currentPage(page), freshPage(page))
    })
  })
}
