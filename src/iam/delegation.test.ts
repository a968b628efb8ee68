import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { call, element, makeWorld, root } from './testing/world.ts'
import type { World } from './testing/world.ts'

const policyArn = (name: string): string => `arn:aws:iam::000000000000:policy/${name}`

const allowAll = { Effect: 'Allow', Action: ['iam:*', 'admin:*'], Resource: '*' }

async function delegate(world: World, ...statements: readonly object[]) {
  await world.admin.createPolicy(
    'fence',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
  )
  await world.admin.createPolicy(
    'other',
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
  )
  return world.makeUser('deputy', { Version: '2012-10-17', Statement: statements })
}

describe('delegated administration (AWS IAM User Guide, "Permissions boundaries for IAM entities")', () => {
  it('is held to attach certain policies alone, by iam:PolicyARN', async (t) => {
    const world = await makeWorld(t)
    const key = await delegate(world, allowAll, {
      Effect: 'Deny',
      Action: 'iam:Attach*',
      Resource: '*',
      Condition: { ArnNotEquals: { 'iam:PolicyARN': policyArn('fence') } },
    })
    await world.admin.createUser('ann')
    await world.admin.createGroup('staff')
    await world.admin.createRole({ name: 'job', trustPolicy: nobody })
    for (const [action, field, name] of [
      ['AttachUserPolicy', 'UserName', 'deputy'],
      ['AttachUserPolicy', 'UserName', 'ann'],
      ['AttachGroupPolicy', 'GroupName', 'staff'],
      ['AttachRolePolicy', 'RoleName', 'job'],
    ] as const) {
      for (const arn of [policyArn('other'), 'arn:aws:iam::aws:policy/consoleAdmin']) {
        const refused = await call(world, key, action, { [field]: name, PolicyArn: arn })
        assert.equal(refused.code, 'AccessDenied', `${action} ${arn}`)
      }
      const taken = await call(world, key, action, { [field]: name, PolicyArn: policyArn('fence') })
      assert.equal(taken.code, undefined, action)
    }
  })

  it('cannot take off what it may not, by iam:PolicyARN', async (t) => {
    const world = await makeWorld(t)
    const key = await delegate(world, allowAll, {
      Effect: 'Deny',
      Action: 'iam:Detach*',
      Resource: '*',
      Condition: { ArnEquals: { 'iam:PolicyARN': policyArn('fence') } },
    })
    await world.admin.attachUserPolicy('deputy', 'fence')
    const fields = { UserName: 'deputy', PolicyArn: policyArn('fence') }
    assert.equal((await call(world, key, 'DetachUserPolicy', fields)).code, 'AccessDenied')
    const gone = { UserName: 'deputy', Cascade: 'true' }
    assert.equal((await call(world, key, 'DeleteUser', gone)).code, 'AccessDenied')
    assert.ok(world.admin.findUser('deputy'))
  })

  it('makes nobody without the boundary, by iam:PermissionsBoundary', async (t) => {
    const world = await makeWorld(t)
    const key = await delegate(world, {
      Effect: 'Allow',
      Action: ['iam:Create*', 'iam:Attach*', 'iam:Put*', 'iam:Tag*'],
      Resource: '*',
      Condition: { StringEquals: { 'iam:PermissionsBoundary': policyArn('fence') } },
    })
    const PermissionsBoundary = policyArn('fence')
    const trust = { AssumeRolePolicyDocument: nobody }
    for (const [action, fields] of [
      ['CreateUser', { UserName: 'ann' }],
      ['CreateRole', { RoleName: 'job', ...trust }],
    ] as const) {
      assert.equal((await call(world, key, action, fields)).code, 'AccessDenied', action)
      const other = { ...fields, PermissionsBoundary: policyArn('other') }
      assert.equal((await call(world, key, action, other)).code, 'AccessDenied', action)
      const bound = { ...fields, PermissionsBoundary }
      assert.equal((await call(world, key, action, bound)).code, undefined, action)
    }
  })

  it('gives to those alone who have the boundary, and cannot lift it', async (t) => {
    const world = await makeWorld(t)
    const key = await delegate(
      world,
      allowAll,
      {
        Effect: 'Deny',
        Action: ['iam:AttachUserPolicy', 'iam:PutUserPolicy', 'iam:PutUserPermissionsBoundary'],
        Resource: '*',
        Condition: { StringNotEquals: { 'iam:PermissionsBoundary': policyArn('fence') } },
      },
      { Effect: 'Deny', Action: 'iam:Delete*PermissionsBoundary', Resource: '*' },
    )
    await world.admin.createUser('free')
    await world.admin.createUser('held', { permissionsBoundary: 'fence' })
    const inline = { PolicyName: 'p', PolicyDocument: everything }
    for (const [UserName, code] of [
      ['free', 'AccessDenied'],
      ['deputy', 'AccessDenied'],
      ['nobody', 'AccessDenied'],
      ['held', undefined],
    ] as const) {
      const attach = { UserName, PolicyArn: policyArn('other') }
      assert.equal((await call(world, key, 'AttachUserPolicy', attach)).code, code, UserName)
      assert.equal((await call(world, key, 'PutUserPolicy', { UserName, ...inline })).code, code)
    }
    const UserName = 'held'
    for (const [action, fields] of [
      ['DeleteUserPermissionsBoundary', { UserName }],
      ['PutUserPermissionsBoundary', { UserName, PermissionsBoundary: policyArn('other') }],
    ] as const) {
      assert.equal((await call(world, key, action, fields)).code, 'AccessDenied', action)
    }
    assert.equal(world.admin.findUser('held')?.permissionsBoundary, 'fence')
  })

  it('goes by the tags of what it changes, and by those that it gives', async (t) => {
    const world = await makeWorld(t)
    const key = await delegate(
      world,
      {
        Effect: 'Allow',
        Action: ['iam:TagUser', 'iam:UntagUser', 'iam:CreateAccessKey'],
        Resource: '*',
        Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } },
      },
      {
        Effect: 'Deny',
        Action: 'iam:*',
        Resource: '*',
        Condition: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['team'] } },
      },
      {
        Effect: 'Allow',
        Action: ['iam:CreateUser', 'iam:TagUser'],
        Resource: '*',
        Condition: { StringEquals: { 'aws:RequestTag/cost': '1' } },
      },
    )
    await world.admin.createUser('blue', { tags: new Map([['team', 'blue']]) })
    await world.admin.createUser('red', { tags: new Map([['team', 'red']]) })
    const tag = (Key: string, Value: string) => ({
      'Tags.member.1.Key': Key,
      'Tags.member.1.Value': Value,
    })
    for (const [action, fields, code] of [
      ['CreateAccessKey', { UserName: 'blue' }, undefined],
      ['CreateAccessKey', { UserName: 'red' }, 'AccessDenied'],
      ['TagUser', { UserName: 'blue', ...tag('desk', '4') }, undefined],
      ['TagUser', { UserName: 'red', ...tag('desk', '4') }, 'AccessDenied'],
      ['TagUser', { UserName: 'red', ...tag('team', 'blue') }, 'AccessDenied'],
      ['UntagUser', { UserName: 'blue', 'TagKeys.member.1': 'team' }, 'AccessDenied'],
      ['UntagUser', { UserName: 'blue', 'TagKeys.member.1': 'desk' }, undefined],
      ['CreateUser', { UserName: 'ann' }, 'AccessDenied'],
      ['CreateUser', { UserName: 'ann', ...tag('cost', '2') }, 'AccessDenied'],
      ['CreateUser', { UserName: 'ann', ...tag('cost', '1') }, undefined],
    ] as const) {
      const answer = await call(world, key, action, fields)
      assert.equal(answer.code, code, `${action} ${JSON.stringify(fields)}: ${answer.text}`)
    }
  })
})

describe('deleting with everything on it (Cascade, which is ours)', () => {
  it('needs the right to take it all off: nobody sheds the Deny of a group by deleting the group', async (t) => {
    const world = await makeWorld(t)
    const key = await delegate(world, {
      Effect: 'Allow',
      Action: ['iam:Delete*', 'iam:Get*'],
      Resource: '*',
    })
    await world.admin.createGroup('held-back')
    await world.admin.attachPolicy({ kind: 'group', name: 'held-back' }, 'fence')
    await world.admin.addUserToGroup('held-back', 'deputy')
    await world.admin.createUser('ann')
    await world.admin.addUserToGroup('held-back', 'ann')
    for (const [action, fields] of [
      ['DeleteGroup', { GroupName: 'held-back', Cascade: 'true' }],
      ['DeleteUser', { UserName: 'ann', Cascade: 'true' }],
    ] as const) {
      assert.equal((await call(world, key, action, fields)).code, 'AccessDenied', action)
    }
    assert.deepEqual(world.admin.groupsOf('deputy'), ['held-back'])
  })

  it('asks for no more than there is to take off', async (t) => {
    const world = await makeWorld(t)
    const key = await delegate(world, {
      Effect: 'Allow',
      Action: ['iam:DeleteUser', 'iam:DeleteGroup', 'iam:DeleteRole', 'iam:DeletePolicy'],
      Resource: '*',
    })
    await world.admin.createUser('ann')
    await world.admin.createGroup('staff')
    await world.admin.createRole({ name: 'job', trustPolicy: nobody })
    for (const [action, fields] of [
      ['DeleteUser', { UserName: 'ann' }],
      ['DeleteGroup', { GroupName: 'staff' }],
      ['DeleteRole', { RoleName: 'job' }],
      ['DeletePolicy', { PolicyArn: policyArn('other') }],
    ] as const) {
      const answer = await call(world, key, action, { ...fields, Cascade: 'true' })
      assert.equal(answer.code, undefined, `${action}: ${element(answer.text, 'Message')}`)
    }
  })

  it('needs each of the rights for a user, a role and a policy', async (t) => {
    const world = await makeWorld(t)
    const key = await delegate(world, {
      Effect: 'Allow',
      Action: ['iam:DeleteUser', 'iam:DeleteRole', 'iam:DeletePolicy'],
      Resource: '*',
    })
    await world.admin.createUser('ann')
    await world.admin.createAccessKey('ann')
    await world.admin.createUser('bob')
    await world.admin.putInlinePolicy({ kind: 'user', name: 'bob' }, 'p', everything)
    await world.admin.createRole({ name: 'job', trustPolicy: nobody })
    await world.admin.attachPolicy({ kind: 'role', name: 'job' }, 'fence')
    await world.admin.createPolicyVersion('other', everything, false)
    for (const [action, fields] of [
      ['DeleteUser', { UserName: 'ann' }],
      ['DeleteUser', { UserName: 'bob' }],
      ['DeleteRole', { RoleName: 'job' }],
      ['DeletePolicy', { PolicyArn: policyArn('other') }],
    ] as const) {
      const cascade = { ...fields, Cascade: 'true' }
      assert.equal((await call(world, key, action, cascade)).code, 'AccessDenied', action)
      assert.equal((await call(world, root, action, cascade)).code, undefined, action)
    }
  })
})

const everything =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
const nobody =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}'
