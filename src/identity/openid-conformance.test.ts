import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { signIn, startLocalIdp, type LocalIdp } from '../../test/fakes/local-idp.ts'
import { Secret } from '../secret.ts'
import { createOpenIdVerifier, type OpenIdProvider } from './index.ts'

// Not our own idea of a provider: a certified one, and a client that signs in as a browser would.
describe('an id token of a real OpenID provider', () => {
  let idp: LocalIdp
  let tokens: Awaited<ReturnType<typeof signIn>>

  before(async () => {
    idp = await startLocalIdp({
      accounts: { alice: { preferred_username: 'Alice', groups: ['staff'] } },
    })
    tokens = await signIn(idp.issuer, 'alice')
  })
  after(() => idp.close())

  const open = (members: Partial<OpenIdProvider> = {}) =>
    createOpenIdVerifier({
      clock: () => new Date(),
      providers: [
        {
          name: 'real',
          configUrl: idp.configUrl,
          clientId: 'daypass',
          mode: { kind: 'claim' },
          ...members,
        },
      ],
    })
  const evidence = () => ({
    kind: 'web-identity' as const,
    token: new Secret(tokens.idToken),
    accessToken: new Secret(tokens.accessToken),
  })

  it('proves who signed in', async () => {
    const principal = await open().verify(evidence(), new Date())
    assert.equal(principal?.issuer, idp.issuer)
    assert.equal(principal.subject, 'alice')
    assert.ok((principal.expiresAt?.getTime() ?? 0) > Date.now())
  })

  it('is completed by what userinfo says', async () => {
    const principal = await open({ claimUserinfo: true }).verify(evidence(), new Date())
    assert.equal(principal?.displayName, 'Alice')
    assert.deepEqual(principal.groups, ['staff'])
  })

  it('is refused for another client, and an hour later', async () => {
    const other = open({ clientId: 'other' }).verify(evidence(), new Date())
    await assert.rejects(other, { code: 'token_audience' })
    const later = open().verify(evidence(), new Date(Date.now() + 3_700_000))
    await assert.rejects(later, { code: 'token_expired' })
  })

  it('is not what an opaque access token is', async () => {
    const token = new Secret(tokens.accessToken)
    await assert.rejects(open().verify({ kind: 'web-identity', token }, new Date()), {
      code: 'token_malformed',
    })
  })
})
