import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { IdentityError } from './identity-error.ts'
import { parseJws } from './jws.ts'
import { findKey, parseKeySet } from './key-set.ts'
import { verifySignature } from './verify-token.ts'

type Case = Readonly<{ tcId: number; comment: string; result: string; jws?: unknown }>
type Group = Readonly<{
  public?: object
  private?: object
  keys?: object[]
  tests: readonly Case[]
}>
type File = Readonly<{ numberOfTests: number; testGroups: readonly Group[] }>

const directory = new URL('../../../shared/vectors/wycheproof/', import.meta.url)
const skip = existsSync(directory)
  ? false
  : 'the Wycheproof vectors are not beside this repository (../shared/vectors/wycheproof)'

// Labelled valid, and refused by us: [cases, why]. Nothing else may differ from the labels.
const stricter = new Map<string, readonly (readonly [readonly number[], string])[]>([
  [
    'json_web_signature',
    [
      [[1, 348, 352, 357, 358, 359, 376, 377], 'HS256: asymmetric only'],
      [[346, 350], 'the key says PS256, the token PS384'],
      [[347, 351], 'the key says ES521, which is no algorithm'],
      [[372, 373], 'a ? inside a part, and HS256 anyway'],
    ],
  ],
  ['json_web_key', [[[2, 13, 14, 15], 'symmetric keys']]],
  [
    'json_web_crypto',
    [
      [[1, 48], 'symmetric keys'],
      [[50, 67], 'JWE: not a signature'],
    ],
  ],
])

async function verifies(jwks: readonly object[], jws: unknown): Promise<boolean> {
  if (typeof jws !== 'string') return false
  try {
    const parsed = parseJws(jws)
    const key = findKey(parseKeySet(JSON.stringify({ keys: jwks })), parsed.header)
    if (key === undefined) return false
    await verifySignature(parsed, key)
    return true
  } catch (error) {
    // Any other error is a crash, and fails the case.
    if (error instanceof IdentityError) return false
    throw error
  }
}

function keysOf(group: Group): readonly object[] {
  const key = group.public ?? group.private ?? { keys: group.keys ?? [] }
  return 'keys' in key && Array.isArray(key.keys) ? key.keys : [key]
}

describe('Wycheproof', { skip }, () => {
  for (const [name, exceptions] of stricter) {
    it(`${name}: agrees with every label but the named ones`, async () => {
      const text = readFileSync(new URL(`${name}_test.json`, directory), 'utf8')
      const file: File = JSON.parse(text)
      const refusedAnyway = new Set(exceptions.flatMap(([cases]) => cases))
      let count = 0
      for (const group of file.testGroups) {
        for (const { tcId, comment, result, jws } of group.tests) {
          count += 1
          const expected = result === 'valid' && !refusedAnyway.has(tcId)
          assert.equal(await verifies(keysOf(group), jws), expected, `${tcId} ${comment}`)
          if (refusedAnyway.has(tcId)) assert.equal(result, 'valid', `${tcId} is no exception`)
        }
      }
      assert.equal(count, file.numberOfTests)
    })
  }
})
