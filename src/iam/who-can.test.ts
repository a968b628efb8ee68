import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePolicy } from '../policy/index.ts'
import { call, document, element, makeWorld, root } from './testing/world.ts'
import type { World } from './testing/world.ts'

const readPhotos = JSON.stringify(document('s3:GetObject', 'arn:aws:s3:::photos/*'))
const question = { ActionName: 's3:GetObject', ResourceArn: 'arn:aws:s3:::photos/k' }
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
})

async function whoCan(world: World, fields: Readonly<Record<string, string>> = question) {
  const { text } = await call(world, root, 'WhoCan', fields)
  const found = text.matchAll(/<Kind>([^<]*)<\/Kind><Name>([^<]*)<\/Name>/g)
  return [...found].map(([, kind, name]) => `${kind} ${name}`)
}

async function inhabited(world: World): Promise<void> {
  const { admin } = world
  await admin.createPolicy('photos', readPhotos)
  await admin.createUser('direct')
  await admin.attachUserPolicy('direct', 'photos')
  await admin.createUser('inline')
  await admin.putInlinePolicy({ kind: 'user', name: 'inline' }, 'p', readPhotos)
  await admin.createGroup('staff')
  await admin.attachPolicy({ kind: 'group', name: 'staff' }, 'photos')
  await admin.createUser('member')
  await admin.addUserToGroup('staff', 'member')
  await admin.createUser('nothing')
  await admin.createUser('away')
  await admin.attachUserPolicy('away', 'photos')
  await admin.setUserStatus('away', 'disabled')
  await admin.createUser('bounded', { permissionsBoundary: 'writeonly' })
  await admin.attachUserPolicy('bounded', 'photos')
  await admin.createRole({ name: 'viewer', trustPolicy: trust })
  await admin.attachPolicy({ kind: 'role', name: 'viewer' }, 'photos')
  await admin.attachPrincipalPolicy({ kind: 'ldap-group', name: 'cn=staff' }, 'photos')
}

describe('WhoCan', () => {
  it('names whoever may, by whatever way, and nobody who may not', async (t) => {
    const world = await makeWorld(t)
    await inhabited(world)
    assert.deepEqual(await whoCan(world), [
      'group staff',
      'ldap-group cn=staff',
      'role viewer',
      'user direct',
      'user file-user',
      'user inline',
      'user member',
    ])
    const other = { ...question, ResourceArn: 'arn:aws:s3:::other/k' }
    assert.deepEqual(await whoCan(world, other), ['user file-user'])
    assert.deepEqual(await whoCan(world, { ...question, ActionName: 's3:DeleteObject' }), [])
  })

  it('comes in pages without gap or repetition', async (t) => {
    const world = await makeWorld(t)
    await inhabited(world)
    const seen: string[] = []
    let Marker = ''
    do {
      const fields = { ...question, MaxItems: '2', Marker }
      const { text } = await call(world, root, 'WhoCan', fields)
      const page = await whoCan(world, fields)
      assert.ok(page.length <= 2)
      seen.push(...page)
      Marker = element(text, 'Marker') ?? ''
    } while (Marker !== '')
    assert.deepEqual(seen, await whoCan(world))
  })

  it("asks the bucket's own policy, where the face knows it", async (t) => {
    const deny = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: { AWS: 'arn:aws:iam::000000000000:user/direct' },
          Action: 's3:*',
          Resource: 'arn:aws:s3:::photos/*',
        },
      ],
    })
    const asked: string[] = []
    const world = await makeWorld(t, {
      findBucketPolicy: async (bucket) => {
        asked.push(bucket)
        return { name: 'bucket policy', policy: parsePolicy(deny, 'bucket') }
      },
    })
    await inhabited(world)
    const found = await whoCan(world)
    assert.ok(!found.includes('user direct'))
    assert.ok(found.includes('user member'))
    assert.deepEqual(asked, ['photos'])
  })

  it('refuses what it cannot suppose', async (t) => {
    const world = await makeWorld(t)
    const entry = 'ContextEntries.member.1'
    const bad: readonly (readonly [string, string])[] = [
      ['x:y', 'z'],
      ['aws:SecureTransport', 'perhaps'],
      ['aws:CurrentTime', 'yesterday'],
      ['s3:max-keys', 'many'],
    ]
    for (const [name, value] of bad) {
      const { code } = await call(world, root, 'WhoCan', {
        ...question,
        [`${entry}.ContextKeyName`]: name,
        [`${entry}.ContextKeyValues.member.1`]: value,
      })
      assert.equal(code, 'ValidationError', name)
    }
  })
})

describe('policies of people of a directory', () => {
  const dn = { PrincipalKind: 'ldap-group', PrincipalName: 'CN=Staff' }
  const PolicyArn = 'arn:aws:iam::aws:policy/readonly'

  it('are kept under the one spelling of their name', async (t) => {
    const world = await makeWorld(t, { normaliseDn: (name) => name.toLowerCase() })
    const attach = { ...dn, PolicyArn }
    assert.equal((await call(world, root, 'AttachPrincipalPolicy', attach)).response.status, 200)
    const subject = { kind: 'ldap-group', name: 'cn=staff' } as const
    assert.equal(world.admin.policiesAttachedTo(subject).length, 1)
    const listed = await call(world, root, 'ListPrincipalPolicies', dn)
    assert.equal(element(listed.text, 'PolicyArn'), PolicyArn)
    const all = await call(world, root, 'ListPrincipalAttachments')
    assert.equal(element(all.text, 'PrincipalName'), 'cn=staff')
    const entities = await call(world, root, 'ListEntitiesForPolicy', { PolicyArn })
    assert.equal(element(entities.text, 'Name'), 'cn=staff')
    await call(world, root, 'DetachPrincipalPolicy', attach)
    assert.equal(world.admin.policiesAttachedTo(subject).length, 0)
  })

  it('are refused where there is no directory, and under what is no name', async (t) => {
    const without = await makeWorld(t)
    const attach = { ...dn, PolicyArn }
    assert.equal((await call(without, root, 'AttachPrincipalPolicy', attach)).code, 'InvalidInput')
    const world = await makeWorld(t, {
      normaliseDn: () => {
        throw new TypeError('not a name')
      },
    })
    assert.equal((await call(world, root, 'AttachPrincipalPolicy', attach)).code, 'ValidationError')
  })
})
