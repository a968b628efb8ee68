import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  assert as check,
  asyncProperty,
  map as someMap,
  property,
  string,
  webUrl,
} from 'fast-check'
import { takesAtMost } from '../../test/bounds/processor-time.ts'
import { AdminError } from './index.ts'
import {
  checkDescription,
  checkGroupName,
  checkLdapSubject,
  checkPolicyName,
  checkRoleName,
  checkTags,
  checkUserName,
  providerName,
} from './names.ts'

/** Refuses with a documented code, or takes; in no time, whatever comes. */
async function survives(work: () => void): Promise<void> {
  await takesAtMost(50, () => {
    try {
      work()
    } catch (error) {
      assert.ok(error instanceof AdminError, String(error))
    }
  })
}

const anything = string({ unit: 'binary', maxLength: 2000 })

describe('whatever the names', () => {
  it('are refused by a code or taken, never more', async () => {
    const checks = [checkUserName, checkGroupName, checkRoleName, checkPolicyName, checkDescription]
    await check(
      asyncProperty(anything, async (text) => {
        for (const each of checks) await survives(() => each(text))
        await survives(() => checkLdapSubject({ kind: 'ldap-user', name: text }))
        await survives(() => checkTags(new Map([[text, text]])))
        await survives(() => providerName(text))
        await survives(() => providerName(`https://${text}`))
      }),
    )
  })

  it('a name that is taken stands in keys and ARNs as it is', () => {
    check(
      property(anything, (text) => {
        for (const each of [checkUserName, checkGroupName, checkRoleName, checkPolicyName]) {
          try {
            each(text)
          } catch {
            continue
          }
          assert.match(text, /^[\x21-\x7e]+$/)
          assert.doesNotMatch(text, /[/*?${}]/)
        }
      }),
    )
  })

  it('a provider that is taken has the URL that it says', () => {
    check(
      property(webUrl({ validSchemes: ['https'], withQueryParameters: true }), (url) => {
        try {
          assert.equal(`https://${providerName(url)}`, url)
        } catch (error) {
          assert.ok(error instanceof AdminError, String(error))
        }
      }),
    )
  })

  it('64 KiB of anything is refused in no time', async () => {
    for (const piece of ['a', 'a.', 'a-', '=', 'a=b,', '/a', ' ', '\u0301']) {
      const text = piece.repeat(65_536 / piece.length)
      await survives(() => providerName(`https://${text}`))
      await survives(() => checkLdapSubject({ kind: 'ldap-group', name: text }))
      await survives(() => checkTags(new Map([[text, text]])))
      await survives(() => checkDescription(text))
    }
  })

  it('tags that are taken are within their bounds', async () => {
    await check(
      asyncProperty(someMap(anything, anything, { maxKeys: 60 }), async (tags) => {
        await survives(() => checkTags(tags))
      }),
    )
  })
})
