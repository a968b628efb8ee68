import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePolicy } from '../policy/index.ts'
import { call, document, element, makeWorld, root } from './testing/world.ts'
import type { World } from './testing/world.ts'
import type { LdapDirectories } from './types.ts'

const readPhotos = JSON.stringify(document('s3:GetObject', 'arn:aws:s3:::photos/*'))
const question = { ActionName: 's3:GetObject', ResourceArn: 'arn:aws:s3:::photos/k' }
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
})

const normaliseDn = (name: string): string => {
  if (!name.includes('=')) throw new TypeError('not a name')
  return name.toLowerCase()
}
const people = new Map([
  ['ann', ['uid=ann']],
  ['twin', ['uid=twin,ou=a', 'uid=twin,ou=b']],
])
const twoDirectories: LdapDirectories = {
  names: ['staff', 'guests'],
  normaliseDn,
  homeOf: () => 'staff',
  peopleNamed: async (_, username) => people.get(username) ?? [],
}
const oneDirectory: LdapDirectories = { ...twoDirectories, names: ['staff'] }

async function whoCan(world: World, fields: Readonly<Record<string, string>> = question) {
  const { text } = await call(world, root, 'WhoCan', fields)
  const found = text
    .replaceAll(/<AssumableBy>.*?<\/AssumableBy>/gs, '')
    .matchAll(/<Kind>([^<]*)<\/Kind><Name>([^<]*)<\/Name>/g)
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

  it('names everyone where the bucket lets everyone in, and who the bucket lets in', async (t) => {
    const world = await makeWorld(t, {
      findBucketPolicy: async () => ({
        name: 'bucket policy of photos',
        policy: parsePolicy(
          JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: '*',
                Action: 's3:GetObject',
                Resource: 'arn:aws:s3:::photos/public/*',
              },
              {
                Effect: 'Allow',
                Principal: { AWS: 'arn:aws:iam::000000000000:user/nothing' },
                Action: 's3:GetObject',
                Resource: 'arn:aws:s3:::photos/private/*',
              },
            ],
          }),
          'bucket',
        ),
      }),
    })
    await world.admin.createUser('nothing')
    await world.admin.createUser('other')
    const at = (key: string) => ({ ...question, ResourceArn: `arn:aws:s3:::photos/${key}` })
    assert.deepEqual(await whoCan(world, at('private/k')), ['user file-user', 'user nothing'])
    const everyone = ['everyone *', 'user file-user', 'user nothing', 'user other']
    assert.deepEqual(await whoCan(world, at('public/k')), everyone)
    const { text } = await call(world, root, 'WhoCan', at('private/k'))
    assert.match(text, /<Name>nothing<.*?<Reason>[^<]*bucket policy of photos/s)
  })

  it('says of a role who may take it', async (t) => {
    const world = await makeWorld(t, { directories: twoDirectories })
    const { admin } = world
    for (const name of ['ann', 'bob']) await admin.createUser(name)
    const only = (principal: object, condition = {}) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: principal,
            Action: ['sts:AssumeRole', 'sts:AssumeRoleWithLDAPIdentity'],
            ...condition,
          },
        ],
      })
    const taker = (text: string) => {
      const found = text.matchAll(/<AssumableBy>(.*?)<\/AssumableBy>/gs)
      return [...found].map(([, takers = '']) =>
        [...takers.matchAll(/<Kind>([^<]*)<\/Kind><Name>([^<]*)</g)].map(
          ([, kind, name]) => `${kind} ${name}`,
        ),
      )
    }
    const made = async (name: string, trustPolicy: string) => {
      await admin.createRole({ name, trustPolicy })
      await admin.attachPolicy({ kind: 'role', name }, 'readonly')
      const { text } = await call(world, root, 'WhoCan', question)
      await admin.deleteRole(name, 'cascade')
      return taker(text)
    }
    const user = { AWS: 'arn:aws:iam::000000000000:user/ann' }
    assert.deepEqual(await made('a', only(user)), [['user ann']])
    const external = { Condition: { StringEquals: { 'sts:ExternalId': 'x' } } }
    assert.deepEqual(await made('b', only(user, external)), [[]])
    for (const directory of ['staff', 'guests']) {
      await admin.attachPrincipalPolicy(
        { kind: 'ldap-user', name: 'uid=eve', directory },
        'diagnostics',
      )
    }
    const person = only({ Federated: 'guests' })
    const { text } = await (async () => {
      await admin.createRole({ name: 'c', trustPolicy: person })
      await admin.attachPolicy({ kind: 'role', name: 'c' }, 'readonly')
      return call(world, root, 'WhoCan', question)
    })()
    assert.deepEqual(taker(text), [['ldap-user uid=eve']])
    assert.match(text, /<AssumableBy>.*<Directory>guests<\/Directory>.*<\/AssumableBy>/s)
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
    const world = await makeWorld(t, { directories: oneDirectory })
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
    const world = await makeWorld(t, { directories: oneDirectory })
    const bad = { ...attach, PrincipalName: 'staff' }
    assert.equal((await call(world, root, 'AttachPrincipalPolicy', bad)).code, 'ValidationError')
  })

  it('are those of the directory that was named, or of the one that the name is taken for', async (t) => {
    const world = await makeWorld(t, { directories: twoDirectories })
    const attached = (directory: string) =>
      world.admin.policiesAttachedTo({ kind: 'ldap-group', name: 'cn=staff', directory }).length
    const attach = { ...dn, PolicyArn }
    const unknown = { ...attach, Directory: 'nowhere' }
    const refused = await call(world, root, 'AttachPrincipalPolicy', unknown)
    assert.equal(refused.code, 'ValidationError')
    assert.match(refused.text, /there are: staff, guests/)
    await call(world, root, 'AttachPrincipalPolicy', { ...attach, Directory: 'guests' })
    assert.deepEqual([attached('staff'), attached('guests')], [0, 1])
    const [mine, theirs] = await Promise.all(
      ['staff', 'guests'].map((Directory) =>
        call(world, root, 'ListPrincipalPolicies', { ...dn, Directory }),
      ),
    )
    assert.equal(element(mine?.text ?? '', 'PolicyArn'), undefined)
    assert.equal(element(theirs?.text ?? '', 'PolicyArn'), PolicyArn)
    await call(world, root, 'AttachPrincipalPolicy', attach)
    assert.deepEqual([attached('staff'), attached('guests')], [1, 1])
    const all = await call(world, root, 'ListPrincipalAttachments')
    assert.deepEqual(
      [...all.text.matchAll(/<Directory>([^<]*)</g)].map(([, name]) => name),
      ['guests', 'staff'],
    )
    const entities = await call(world, root, 'ListEntitiesForPolicy', { PolicyArn })
    assert.equal(entities.text.match(/<Directory>/g)?.length, 2)
    await call(world, root, 'DetachPrincipalPolicy', attach)
    assert.deepEqual([attached('staff'), attached('guests')], [0, 1])
  })

  it('can be taken from people of a directory that is no longer configured', async (t) => {
    const world = await makeWorld(t, { directories: twoDirectories })
    const subject = { kind: 'ldap-group', name: 'cn=staff', directory: 'gone' } as const
    await world.admin.attachPrincipalPolicy(subject, 'readonly')
    const detach = { ...dn, PolicyArn, Directory: 'gone' }
    assert.equal((await call(world, root, 'DetachPrincipalPolicy', detach)).response.status, 200)
    assert.deepEqual(world.admin.policiesAttachedTo(subject), [])
  })
})

describe('a question that could have but one answer', () => {
  it('is refused: no action without its service, no resource that is no ARN', async (t) => {
    const world = await makeWorld(t)
    const PolicySourceArn = 'arn:aws:iam::000000000000:user/ann'
    await world.admin.createUser('ann')
    const bad = [
      { action: 'GetObject', resource: 'arn:aws:s3:::photos/k', said: /ActionName.*s3:GetObject/ },
      { action: 's3:', resource: '*', said: /ActionName/ },
      { action: 's3:GetObject', resource: 'photos/k', said: /ResourceArn.*arn:aws:s3:::BUCKET/ },
      { action: 's3:GetObject', resource: 's3://photos/k', said: /ResourceArn/ },
    ]
    for (const { action, resource, said } of bad) {
      const who = await call(world, root, 'WhoCan', { ActionName: action, ResourceArn: resource })
      const simulated = await call(world, root, 'SimulatePrincipalPolicy', {
        PolicySourceArn,
        'ActionNames.member.1': action,
        'ResourceArns.member.1': resource,
      })
      for (const { code, text } of [who, simulated]) {
        assert.equal(code, 'ValidationError', `${action} ${resource}`)
        assert.match(text, said)
      }
    }
    const everything = { ActionName: 's3:GetObject', ResourceArn: '*' }
    assert.equal((await call(world, root, 'WhoCan', everything)).response.status, 200)
  })
})

describe('RevokeSessions of somebody of a directory', () => {
  const revoke = (world: World, Provider: string, Subject: string) =>
    call(world, root, 'RevokeSessions', { Provider, Subject })

  it('means one person, however the name is spelt, and by its login name', async (t) => {
    const world = await makeWorld(t, { directories: twoDirectories })
    for (const name of ['uid=ann', 'UID=Ann', 'ann']) await revoke(world, 'guests', name)
    assert.deepEqual(
      world.revoked.map(({ principal }) => principal),
      Array(3).fill('web-identity:6:guests:uid=ann'),
    )
  })

  it('refuses a login name that nobody or several came in by, and ends nothing', async (t) => {
    const world = await makeWorld(t, { directories: twoDirectories })
    assert.equal((await revoke(world, 'guests', 'nobody')).code, 'NoSuchEntity')
    const several = await revoke(world, 'guests', 'twin')
    assert.equal(several.code, 'ValidationError')
    assert.match(several.text, /uid=twin,ou=a or uid=twin,ou=b/)
    assert.deepEqual(world.revoked, [])
  })

  it('refuses a provider that there is not, unless it is said to be gone', async (t) => {
    const knowsProvider = (name: string) => name === 'dex' || name === 'staff'
    const world = await makeWorld(t, { directories: oneDirectory, knowsProvider })
    const slip = await revoke(world, 'stff', 'ann')
    assert.equal(slip.code, 'NoSuchEntity')
    assert.match(slip.text, /no provider called .*stff/)
    const denied = { Provider: 'stff', Subject: 'ann', ProviderIsGone: 'false' }
    assert.equal((await call(world, root, 'RevokeSessions', denied)).code, 'NoSuchEntity')
    assert.deepEqual(world.revoked, [])
    await revoke(world, 'dex', 'ann')
    const gone = { Provider: 'old', Subject: 'ann', ProviderIsGone: 'true' }
    assert.equal((await call(world, root, 'RevokeSessions', gone)).response.status, 200)
    assert.deepEqual(
      world.revoked.map(({ principal }) => principal),
      ['web-identity:3:dex:ann', 'web-identity:3:old:ann'],
    )
  })

  it('leaves the subjects of other providers as they are', async (t) => {
    const world = await makeWorld(t, { directories: twoDirectories })
    await revoke(world, 'dex', 'UID=Ann')
    assert.equal(world.revoked[0]?.principal, 'web-identity:3:dex:UID=Ann')
  })
})
