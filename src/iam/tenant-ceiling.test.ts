import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePolicy } from '../policy/index.ts'
import { call, document, element, makeWorld, root } from './testing/world.ts'

const everybody = parsePolicy(
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]}',
  'bucket',
)

describe('the ceiling of the tenant', () => {
  async function bounded(t: Parameters<typeof makeWorld>[0]) {
    const world = await makeWorld(t, {
      tenantCeiling: ['ceiling'],
      findBucketPolicy: async () => ({ name: 'b', policy: everybody }),
    })
    const ceiling = document(['s3:GetObject', 'iam:Get*'])
    await world.admin.createPolicy('ceiling', JSON.stringify(ceiling))
    const key = await world.makeUser('ann', document('*'))
    return { world, key }
  }

  it('holds administrators, too, and the root key not', async (t) => {
    const { world, key } = await bounded(t)
    assert.equal((await call(world, key, 'GetUser')).code, undefined)
    assert.equal((await call(world, key, 'CreateUser', { UserName: 'x' })).code, 'AccessDenied')
    assert.equal((await call(world, root, 'CreateUser', { UserName: 'x' })).code, undefined)
  })

  it('is raised by nobody whom it holds', async (t) => {
    const world = await makeWorld(t, { tenantCeiling: ['ceiling'] })
    const open = JSON.stringify(document('*'))
    await world.admin.createPolicy('ceiling', open)
    await world.admin.createPolicy('other', open)
    const key = await world.makeUser('ann', document('*'))
    const PolicyArn = 'arn:aws:iam::000000000000:policy/ceiling'
    for (const [action, fields] of [
      ['CreatePolicyVersion', { PolicyArn, PolicyDocument: open, SetAsDefault: 'true' }],
      ['SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v1' }],
      ['DeletePolicyVersion', { PolicyArn, VersionId: 'v2' }],
      ['DeletePolicy', { PolicyArn, Cascade: 'true' }],
    ] as const) {
      assert.equal((await call(world, key, action, fields)).code, 'AccessDenied', action)
      assert.equal(world.audit.at(-1)?.outcome, 'refused', action)
      const other = PolicyArn.replace('ceiling', 'other')
      const allowed = await call(world, key, action, { ...fields, PolicyArn: other })
      assert.equal(allowed.code, undefined, `${action}: ${allowed.text}`)
      assert.equal((await call(world, root, action, fields)).code, undefined, action)
    }
    assert.equal((await call(world, key, 'GetPolicy', { PolicyArn })).code, 'AccessDenied')
  })

  it('counts in simulations, also where a boundary is sent along', async (t) => {
    const { world } = await bounded(t)
    const ask = async (action: string, more: Readonly<Record<string, string>> = {}) => {
      const answer = await call(world, root, 'SimulatePrincipalPolicy', {
        PolicySourceArn: 'arn:aws:iam::000000000000:user/ann',
        'ActionNames.member.1': action,
        'ResourceArns.member.1': 'arn:aws:s3:::b/k',
        ...more,
      })
      return element(answer.text, 'EvalDecision')
    }
    const wide = { 'PermissionsBoundaryPolicyInputList.member.1': JSON.stringify(document('*')) }
    for (const more of [{}, wide]) {
      assert.equal(await ask('s3:GetObject', more), 'allowed')
      assert.equal(await ask('s3:PutObject', more), 'implicitDeny')
    }
    assert.equal(await ask('s3:GetObject'), 'allowed')
  })

  it('counts for who can, everybody among them', async (t) => {
    const { world } = await bounded(t)
    const names = async (ActionName: string) => {
      const fields = { ActionName, ResourceArn: 'arn:aws:s3:::b/k' }
      const { text } = await call(world, root, 'WhoCan', fields)
      return [...text.matchAll(/<Name>([^<]*)</g)].map(([, name]) => name)
    }
    assert.deepEqual(await names('s3:GetObject'), ['*', 'ann', 'file-user'])
    assert.deepEqual(await names('s3:PutObject'), [])
  })

  it('that is gone lets nobody through', async (t) => {
    const { world, key } = await bounded(t)
    await world.admin.deletePolicy('ceiling')
    assert.equal((await call(world, key, 'GetUser')).code, 'AccessDenied')
  })
})

describe('what a simulation may suppose of administration', () => {
  it('is the policy, the boundary and the tags that a call is about', async (t) => {
    const world = await makeWorld(t)
    const allow = (key: string) => ({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'iam:*',
          Resource: '*',
          Condition: { StringEquals: { [key]: 'x' } },
        },
      ],
    })
    for (const key of [
      'iam:PolicyARN',
      'iam:PermissionsBoundary',
      'aws:ResourceTag/t',
      'iam:ResourceTag/t',
    ]) {
      for (const [value, decision] of [
        ['x', 'allowed'],
        ['y', 'implicitDeny'],
      ] as const) {
        const { text } = await call(world, root, 'SimulateCustomPolicy', {
          'PolicyInputList.member.1': JSON.stringify(allow(key)),
          'ActionNames.member.1': 'iam:AttachUserPolicy',
          'ContextEntries.member.1.ContextKeyName': key,
          'ContextEntries.member.1.ContextKeyType': 'string',
          'ContextEntries.member.1.ContextKeyValues.member.1': value,
        })
        assert.equal(element(text, 'EvalDecision'), decision, `${key} ${value}`)
      }
    }
  })
})
