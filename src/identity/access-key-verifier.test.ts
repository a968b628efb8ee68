import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import {
  combineVerifiers,
  createAccessKeyVerifier,
  IdentityError,
  type Evidence,
  type Principal,
  type Verifier,
} from './index.ts'

const now = new Date()
const user = { kind: 'user', accessKeyId: 'AKIAEXAMPLE', user: 'alice' } as const
const token: Evidence = { kind: 'web-identity', token: new Secret('a.b.c') }

describe('a proven signature', () => {
  const verifier = createAccessKeyVerifier({ tenant: 'sales' })

  it('stands for a user of the tenant', async () => {
    assert.deepEqual(await verifier.verify({ kind: 'signature', signer: user }, now), {
      kind: 'user',
      provider: 'internal',
      issuer: 'sales',
      subject: 'alice',
      displayName: 'alice',
      groups: [],
      claims: new Map(),
    })
  })

  it('stands for root, whatever its key is called', async () => {
    for (const accessKeyId of ['minioadmin', 'alice']) {
      const signer = { kind: 'root', accessKeyId } as const
      const principal = await verifier.verify({ kind: 'signature', signer }, now)
      assert.equal(principal?.kind, 'root')
      assert.equal(principal.subject, 'root')
    }
  })

  it('of a user without a name stands for nobody', async () => {
    const signer = { ...user, user: '' }
    await assert.rejects(verifier.verify({ kind: 'signature', signer }, now), TypeError)
  })

  it('is what it judges, and no token', async () => {
    assert.equal(await verifier.verify(token, now), undefined)
  })
})

describe('verifiers together', () => {
  const failing: Verifier = {
    verify: () => Promise.reject(new IdentityError('token_expired', 'The token has expired')),
  }
  const silent: Verifier = { verify: () => Promise.resolve(undefined) }
  const keys = createAccessKeyVerifier()
  const ask = (...verifiers: Verifier[]): Promise<Principal> =>
    combineVerifiers(verifiers).verify({ kind: 'signature', signer: user }, now)

  it('give the answer of the first that knows', async () => {
    assert.equal((await ask(silent, keys, failing)).issuer, 'default')
  })

  it('do not look further when one refuses', async () => {
    await assert.rejects(ask(silent, failing, keys), { code: 'token_expired' })
  })

  it('refuse what nobody judges', async () => {
    await assert.rejects(ask(silent), { code: 'no_provider' })
    await assert.rejects(ask(), { code: 'no_provider' })
    await assert.rejects(combineVerifiers([keys]).verify(token, now), { code: 'no_provider' })
  })
})
