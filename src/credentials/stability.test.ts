import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import { createMessageSealer } from './messages.ts'
import { openCredentialsRoom } from './testing/credentials-room.ts'
import { janesGrant } from './testing/grants.ts'
import { MemoryState } from './testing/memory-state.ts'

/** Made once by these rooms, under a master key of 32 sevens. A change that they do not survive ends live sessions. */
const stored =
  '{"schema":1,"keys":[{"id":"ojigzeallopb3fwg","status":"active","createdAt":"2026-01-01T12:00:00.000Z",' +
  '"sealed":"v1.6KCvD4SLlDRIGrYYjFXGtMI4LxOzLHAf1j70vV1gPlYTda0SubsjIe-vxD_ZaEWPlVYncmF3Kay3h5Tqml2QTyVMA8Wzlyeu"},' +
  '{"id":"espwnuffey3nvdtu","status":"next","createdAt":"2026-01-01T12:00:00.000Z",' +
  '"sealed":"v1.9CB2eVkMpNj3ACkWtUtbA3fnZW9QmuM5xf4l1ZzbGFpQ7Z2SbetKLbMGjN2otAIPqx_a2G9Ajxl5DOr4XVvLSFGpA-ySWlPM"}]}'
const accessKeyId = 'ASIARUV2QBXEO7BJHZQO'
const secretAccessKey = '0edfhxq2qxXed2cY38tyGgoCTDH0lm9aIwRMZNih'
const token =
  'dps1.ojigzeallopb3fwg.O1G1yuXAAXJQbJALpshbd02X1STSF2r40JGOff5XV6IsetbZgsNgpmR-0M8efx6zaLdQvhx72kRZHbip4Fe2' +
  'egw8dfZOxZUIktDG2T-sEXkz0o0hO6j4bOYeF4aOnyPU4BE8L0Bn8Sl--iZV7WOTLLjmF365D0tRniV06AkC1wA880N9apxtpeGUbffyhTl6' +
  '08TQmQ3ujP8QlUQHif6Bu7C3Pr0thELOf2lVDN5Pd0zDSu2o2UhTHKEtKAHsxqCM_k3WiP-t8qORM5q6phOp5MyAtovYDJTRjN0Kbdh35cnJ' +
  'gX9n'
/** Of the second encoding, with everything in it that the first one had no place for. */
const secondToken =
  'dps2.ojigzeallopb3fwg.9Fk9MR-LKtot1ZHGekRSIurOntRZqHfnKoHTpRCD37p-1cn3EvoPOaSwUONCtC_TOKQa5wfG5QbK1MOE0x' +
  'mv5ZHzO0COWzFGD6g7sAOIJGYMG316HOYvNlsHhpql0gajhiMJIq35t6WamUnMr4JStaesFySL9u-7MWc9MqmGdarCDu91kM99BaidG7' +
  'FH6-hWiYIn4DlVkz73pwX-CaJU2OzK_Fhn9EXgH__qMqdeyLCybZnWLWM38DUbiplWAVYRHwc0XzDt9eccXYmjFZaYgSnp9RqmBT6mX6' +
  'TbQ_pZZUA00_kxbwNGgj1lkRIrUkWrx62IL02IE1uviTkm64tc5WdfPjYOzgs8BVB_gOqzs9dNFu2CsTUzHVmECPt3UAePwi0zZkHm1T' +
  'Pp5Sv8NeQUODjLJoW4iY6nuLpp5rca3ZRIsJBIqvQeyOx5ibV-otbRwlYRVTcxW31UTCc388LLPgAK3Ss6ny3k2yulTcFI3Re5KWcydr' +
  'RJCrOsjF874poFxSQgpQeL_tFQIrVB'
const message =
  'dpm1.ojigzeallopb3fwg.W54dlsa804XUzhOteBDNxXOZpm9wufPSPJrvqb8inm7spT9BNvJ9MwYOuvOapDocYfQ1yYam5nlXucIzUA7ldw'

describe('what was sealed by an earlier version', () => {
  it('opens to the same session, secret and message: a changed format asks for a new version', async () => {
    const state = new MemoryState()
    await state.commit([], [{ kind: 'put', key: 'keyring/sessions', value: stored }])
    const masterKey = createSecretKey(Buffer.alloc(32, 7))
    const room = await openCredentialsRoom({ state, masterKey })
    const opened = await room.sessions.open(accessKeyId, new Secret(token))
    const { trace: _trace, ...grant } = janesGrant()
    const statement =
      '{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::photos/*"]}'
    const policy = `{"Version":"2012-10-17","Statement":[${Array(6).fill(statement).join()}]}`
    const sealingKey = 'ojigzeallopb3fwg'
    assert.deepEqual(opened.session, {
      ...grant,
      accessKeyId,
      sealingKey,
      sessionPolicies: [[policy]],
    })
    assert.equal(opened.secretAccessKey.reveal(), secretAccessKey)
    const sealer = createMessageSealer(room.ring, { random: randomBytes })
    assert.deepEqual(sealer.open('denial', message), { note: 'x'.repeat(600) })
    await room.close()
  })

  it('opens to the same lineage, role, tags and named policies', async () => {
    const state = new MemoryState()
    await state.commit([], [{ kind: 'put', key: 'keyring/sessions', value: stored }])
    const masterKey = createSecretKey(Buffer.alloc(32, 7))
    const room = await openCredentialsRoom({ state, masterKey })
    const id = 'ASIARHTYSCOZH3LXNBPN'
    const { session } = await room.sessions.open(id, new Secret(secondToken))
    const { trace: _trace, ...grant } = janesGrant()
    assert.deepEqual(session, {
      ...grant,
      principal: { ...grant.principal, kind: 'certificate' },
      source: { kind: 'role', arn: 'arn:aws:iam::000000000000:role/r', name: 'r', id: 'AROAR' },
      sessionPolicies: [[], ['{}']],
      sessionPolicyNames: [['readonly'], []],
      transitiveTagKeys: ['team'],
      sourceIdentity: 'ann',
      way: 'federation',
      lineage: {
        jti: 'j',
        parentAccessKeyId: 'ASIAP',
        ancestors: [
          {
            accessKeyId: 'ASIAP',
            sealingKey: 'k',
            issuedAt: new Date('2026-01-01T11:00:00.250Z'),
            source: { kind: 'ldap', user: 'uid=a' },
          },
        ],
      },
      accessKeyId: id,
      sealingKey: 'ojigzeallopb3fwg',
    })
    await room.close()
  })

  it('opens as the encoding that it says, and as no other one', async () => {
    const state = new MemoryState()
    await state.commit([], [{ kind: 'put', key: 'keyring/sessions', value: stored }])
    const room = await openCredentialsRoom({
      state,
      masterKey: createSecretKey(Buffer.alloc(32, 7)),
    })
    const swapped = [
      [accessKeyId, token.replace('dps1', 'dps2')],
      ['ASIARHTYSCOZH3LXNBPN', secondToken.replace('dps2', 'dps1')],
    ] as const
    for (const [id, text] of swapped) {
      await assert.rejects(async () => room.sessions.open(id, new Secret(text)), {
        code: 'token_invalid',
      })
    }
    await room.close()
  })
})
