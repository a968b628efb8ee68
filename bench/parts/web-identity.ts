import { startOidcIssuer } from '../../test/fakes/oidc-issuer.ts'
import type { OidcIssuer } from '../../test/fakes/oidc-issuer.ts'
import { startDaypass } from '../daypass.ts'
import { atLeast } from '../figure.ts'
import { copyAnswer } from '../floors/answer.ts'
import { floorAddress } from '../floors/serve.ts'
import type { WebIdentityFloor } from '../floors/web-identity.ts'
import { compare } from '../load/compare.ts'
import { planRequest } from '../load/plan.ts'
import type { Part } from '../part.ts'
import { policyDocument } from '../policy-document.ts'
import { program } from '../program.ts'

/** Enough of them that none is met again soon. */
const tokens = 512

export const webIdentity: Part = {
  name: 'web-identity',
  floor:
    'a bare node:http server that verifies the same RS256 token, looks at its `exp`, and answers the same bytes; no audit',
  async measure(place, pace) {
    const issuer = await startOidcIssuer({ audience: 'bench' })
    place.defer(() => issuer.close())
    const ours = await startDaypass(place, {
      openid: [{ name: 'bench', configUrl: issuer.configUrl, clientId: 'bench' }],
      policies: { bench: policyDocument(20) },
    })
    const bodies = Array.from({ length: tokens }, (_, index) => form(issuer, index))
    const answer = await copyAnswer(await exchange(ours.url, bodies[0] ?? ''))
    const settings: WebIdentityFloor = { jwk: issuer.signingKey.jwk, answer }
    const floorProgram = [program('floors/web-identity.ts'), place.file(JSON.stringify(settings))]
    const floor = await place.serve(floorProgram, floorAddress)
    const requests = bodies.map((body) =>
      planRequest({
        method: 'POST',
        target: '/',
        headers: [
          ['host', 'localhost'],
          ['content-type', formType],
        ],
        body: Buffer.from(body),
      }),
    )
    return [
      await compare(place, pace, {
        name: 'web-identity exchange (RS256, audit on)',
        ours,
        floor,
        requests,
        connections: 32,
        measure: 'rate',
        budget: atLeast(0.5),
      }),
    ]
  },
}

const formType = 'application/x-www-form-urlencoded'

/** A token as identity providers make them: some claims more than are needed. The token stands last. */
function form(issuer: OidcIssuer, index: number): string {
  const claims = issuer.claims({
    sub: `subject-${index}`,
    jti: `token-${index}`,
    exp: Math.floor(Date.now() / 1000) + 3600,
    policy: 'bench',
    preferred_username: `user${index}`,
    email: `user${index}@example.test`,
    groups: ['engineering', 'storage', 'on-call'],
    azp: 'bench',
    auth_time: Math.floor(Date.now() / 1000),
  })
  const fields = { Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15' }
  const token = issuer.token(claims)
  return new URLSearchParams({ ...fields, WebIdentityToken: token }).toString()
}

async function exchange(url: string, body: string): Promise<Response> {
  const headers = { 'content-type': formType }
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(url, { method: 'POST', headers, body })
    if (response.ok) return response
    // The provider's keys are fetched after the start; they come soon.
    if (attempt === 20) throw new Error(`${response.status} ${await response.text()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
