import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createUsedTokens } from '../exchange.ts'
import { openSqliteState } from '../store/index.ts'

const start = Date.parse('2026-03-01T12:00:00Z')
let now = start
const clock = () => new Date(now)
const soon = new Date(start + 60_000)
const fails = (error: unknown) => assert.fail(String(error))

describe('tokens that are good for one exchange', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-used-'))
  const file = join(dir, 'state.db')
  let one: Awaited<ReturnType<typeof openSqliteState>>
  let two: Awaited<ReturnType<typeof openSqliteState>>
  before(async () => {
    one = await openSqliteState(file, { clock })
    two = await openSqliteState(file, { clock })
  })
  after(async () => {
    await Promise.all([one.close(), two.close()])
    rmSync(dir, { recursive: true })
  })

  it('are used up once, whichever process asks', async () => {
    const token = { issuer: 'https://a.example', jti: '1', expiresAt: soon }
    assert.equal(await createUsedTokens(one, fails).use(token), true)
    assert.equal(await createUsedTokens(one, fails).use(token), false)
    assert.equal(await createUsedTokens(two, fails).use(token), false)
  })

  it('are used up by exactly one of many at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const token = { issuer: 'https://a.example', jti: `race ${round}`, expiresAt: soon }
      const tries = Array.from({ length: 20 }, (_, index) =>
        createUsedTokens(index % 2 === 0 ? one : two, fails).use(token),
      )
      const won = (await Promise.all(tries)).filter((isFirst) => isFirst)
      assert.equal(won.length, 1)
    }
  })

  it('are told apart by issuer and jti, whatever is in them', async () => {
    const used = createUsedTokens(one, fails)
    const names: readonly (readonly [string, string])[] = [
      ['https://b.example', 'x'],
      ['https://c.example', 'x'],
      ['https://b.example', 'X'],
      ['https://b.examplex', ''],
      ['https://b.example","', 'x'],
      ['https://b.example', '","x'],
      ['https://b.example', '../policy/readonly'],
      ['https://b.example', '🦊\0\n'],
    ]
    for (const [issuer, jti] of names) {
      assert.equal(await used.use({ issuer, jti, expiresAt: soon }), true, jti)
    }
    for (const [issuer, jti] of names) {
      assert.equal(await used.use({ issuer, jti, expiresAt: soon }), false, jti)
    }
  })

  it('are remembered over a restart, and past their end by more than clocks differ; then forgotten', async () => {
    const token = { issuer: 'https://a.example', jti: 'restart', expiresAt: soon }
    const before = await openSqliteState(file, { clock })
    assert.equal(await createUsedTokens(before, fails).use(token), true)
    await before.close()
    const later = await openSqliteState(file, { clock })
    now = soon.getTime() + 299_000
    assert.equal(await createUsedTokens(later, fails).use(token), false)
    now = soon.getTime() + 301_000
    assert.equal((await later.list('used-token/')).entries.length, 0, 'costs no disk for ever')
    await later.close()
    now = start
  })

  it('keep neither issuer nor jti in the clear', async () => {
    const text = JSON.stringify((await one.list('used-token/')).entries)
    assert.ok(text.length > 100)
    assert.ok(!text.includes('example') && !text.includes('race'))
  })

  it('are not taken when the store fails, which is told', async () => {
    const told: unknown[] = []
    const broken = { commit: async () => Promise.reject(new Error('disk full')) }
    const used = createUsedTokens(broken, (error) => told.push(error))
    await assert.rejects(used.use({ issuer: 'a', jti: 'b', expiresAt: soon }), /disk full/)
    assert.equal(told.length, 1)
  })
})
