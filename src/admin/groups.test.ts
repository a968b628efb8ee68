import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePolicy } from '../policy/index.ts'
import { allow, nothing, open, refuses, withFileUser } from './testing/house.ts'

const alice = { kind: 'user', name: 'alice' } as const
const staff = { kind: 'group', name: 'staff' } as const

describe('groups', () => {
  it('give their members what they have, at once, and take it away again', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    await admin.createGroup('staff')
    await admin.addUserToGroup('staff', 'alice')
    assert.deepEqual(admin.policiesOf('alice'), [])
    await admin.attachPolicy(staff, 'readonly')
    await admin.putInlinePolicy(staff, 'own', allow('s3:PutObject'))
    await admin.putInlinePolicy(alice, 'own', allow('s3:GetObject'))
    assert.deepEqual(
      admin.policiesOf('alice')?.map(({ name }) => name),
      ['user alice: own', 'readonly', 'group staff: own'],
    )
    assert.deepEqual(admin.findGroup('staff')?.members, ['alice'])
    assert.deepEqual(admin.groupsOf('alice'), ['staff'])
    await admin.removeUserFromGroup('staff', 'alice')
    assert.deepEqual(
      admin.policiesOf('alice')?.map(({ name }) => name),
      ['user alice: own'],
    )
    assert.deepEqual(admin.findGroup('staff')?.members, [])
    await admin.close()
  })

  it('are refused under a name that is taken or ill-formed, and to users that are not there', async () => {
    const { admin } = await open()
    await admin.createGroup('staff')
    await refuses(admin.createGroup('staff'), 'already_exists')
    for (const name of ['', 'a/b', 'a b', '../x', 'ä', 'a'.repeat(129), 'a:b']) {
      await refuses(admin.createGroup(name), 'invalid_name')
    }
    await refuses(admin.addUserToGroup('staff', 'nobody'), 'no_such_entity')
    await admin.createUser('alice')
    await refuses(admin.addUserToGroup('others', 'alice'), 'no_such_entity')
    await refuses(admin.removeUserFromGroup('staff', 'alice'), 'no_such_entity')
    await refuses(admin.attachPolicy({ ...staff, name: 'others' }, 'readonly'), 'no_such_entity')
    await admin.close()
  })

  it('are not deleted while something hangs on them, unless everything is to go', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    await admin.createGroup('staff')
    await admin.addUserToGroup('staff', 'alice')
    await refuses(admin.deleteGroup('staff'), 'delete_conflict')
    await admin.removeUserFromGroup('staff', 'alice')
    await admin.attachPolicy(staff, 'readonly')
    await refuses(admin.deleteGroup('staff'), 'delete_conflict')
    await admin.detachPolicy(staff, 'readonly')
    await admin.putInlinePolicy(staff, 'own', allow('s3:*'))
    await refuses(admin.deleteGroup('staff'), 'delete_conflict')
    await admin.addUserToGroup('staff', 'alice')
    await admin.deleteGroup('staff', 'cascade')
    assert.equal(admin.findGroup('staff'), undefined)
    await admin.createGroup('staff')
    assert.deepEqual(
      admin.findGroup('staff')?.members,
      [],
      'the old members are not in the new one',
    )
    assert.deepEqual(admin.groupsOf('alice'), [])
    await admin.close()
  })

  it('never lose a member that joins while they are deleted', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    for (let round = 0; round < 20; round++) {
      await admin.createGroup('staff')
      const how = round % 2 === 0 ? 'bare' : 'cascade'
      await Promise.allSettled([
        admin.addUserToGroup('staff', 'alice'),
        admin.deleteGroup('staff', how),
      ])
      const isMember = admin.groupsOf('alice').includes('staff')
      assert.ok(!isMember || admin.findGroup('staff') !== undefined, 'a member of nothing')
      await admin.deleteGroup('staff', 'cascade').catch(() => undefined)
      assert.deepEqual(admin.groupsOf('alice'), [])
    }
    await admin.close()
  })

  it('leave nothing behind when two processes join, attach and delete at once', async () => {
    const one = await open()
    const two = await open({ state: one.state })
    await one.admin.createUser('alice')
    for (let round = 0; round < 10; round++) {
      await one.admin.createPolicy('p', allow('s3:*'))
      await one.admin.createGroup('staff')
      await Promise.allSettled([
        two.admin.attachPolicy(staff, 'p'),
        two.admin.addUserToGroup('staff', 'alice'),
        one.admin.deletePolicy('p'),
        one.admin.deleteGroup('staff'),
      ])
      const { entries } = await one.state.list('admin/')
      const stored = new Map(entries.map(({ key, value }) => [key, JSON.parse(value)]))
      const group = stored.get('admin/group/staff')
      assert.ok(!group?.policies.includes('p') || stored.has('admin/policy/p'), 'attached and gone')
      const { groups } = stored.get('admin/user/alice')
      assert.ok(!groups.includes('staff') || group !== undefined, 'a member of nothing')
      // Both see what the other one did before the next round.
      await one.admin.createUser(`round-${round}`)
      await two.admin.setUserStatus(`round-${round}`, 'disabled')
      await one.admin.deleteGroup('staff', 'cascade').catch(() => undefined)
      await one.admin.deletePolicy('p').catch(() => undefined)
    }
    await one.admin.close()
    await two.admin.close()
  })

  it('that the file declares have the members that it names, and are not changed here', async () => {
    const group = { name: 'staff', policies: ['readonly'], members: ['filed', 'alice', 'nobody'] }
    const { admin } = await open({ overlay: { ...withFileUser, groups: [group] } })
    await admin.createUser('alice')
    assert.deepEqual(admin.findGroup('staff')?.members, ['alice', 'filed'])
    assert.equal(admin.policiesOf('alice')?.length, 1)
    await admin.createUser('bob')
    await refuses(admin.addUserToGroup('staff', 'bob'), 'unmodifiable')
    await refuses(admin.removeUserFromGroup('staff', 'alice'), 'unmodifiable')
    await refuses(admin.deleteGroup('staff', 'cascade'), 'unmodifiable')
    await refuses(admin.attachPolicy(staff, 'readwrite'), 'unmodifiable')
    await refuses(admin.createGroup('staff'), 'already_exists')
    await admin.close()
  })

  it('that cannot be read deny everything to their members', async () => {
    const { admin, state, errors } = await open()
    await admin.createUser('alice')
    await admin.createGroup('staff')
    await admin.addUserToGroup('staff', 'alice')
    await state.commit([], [{ kind: 'put', key: 'admin/group/staff', value: '{"schema":99}' }])
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(admin.policiesOf('alice')?.[0]?.policy.kind, 'broken')
    await state.commit([], [{ kind: 'delete', key: 'admin/group/staff' }])
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(admin.policiesOf('alice')?.[0]?.policy.kind, 'broken', 'gone is no better')
    assert.equal(errors.length, 1)
    await admin.close()
  })
})

describe('boundaries', () => {
  it('are set, seen and taken away, and hold their policy', async () => {
    const { admin } = await open()
    await admin.createPolicy('limit', allow('s3:GetObject'))
    await admin.createUser('alice', { permissionsBoundary: 'limit' })
    assert.equal(admin.boundaryOf('alice')?.name, 'limit')
    assert.deepEqual(admin.policiesOf('alice'), [], 'a boundary grants nothing')
    await refuses(admin.deletePolicy('limit'), 'delete_conflict')
    assert.deepEqual(admin.listAttachments('limit'), [
      { policy: 'limit', subject: alice, as: 'boundary' },
    ])
    await admin.setBoundary(alice, undefined)
    assert.equal(admin.boundaryOf('alice'), undefined)
    await refuses(admin.setBoundary(alice, 'unknown'), 'no_such_entity')
    await refuses(admin.createUser('bob', { permissionsBoundary: 'unknown' }), 'no_such_entity')
    assert.equal(admin.findUser('bob'), undefined)
    await admin.deletePolicy('limit')
    await admin.close()
  })

  it('whose policy is not there deny everything', async () => {
    const user = {
      name: 'u',
      status: 'enabled',
      policies: [],
      permissionsBoundary: 'gone',
    } as const
    const overlay = {
      ...nothing,
      users: [{ ...user, createdAt: new Date(0), managedBy: 'file' as const }],
    }
    const { admin } = await open({ overlay })
    assert.equal(admin.boundaryOf('u')?.policy.kind, 'broken')
    await admin.close()
  })
})

describe('inline policies', () => {
  it('are bounded together, ill-named or malformed ones are refused', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    await refuses(admin.putInlinePolicy(alice, 'a b', allow('s3:*')), 'invalid_name')
    await refuses(admin.putInlinePolicy(alice, 'p', '{'), 'malformed_policy')
    const resources = Array.from(
      { length: 8 },
      (_, index) => `arn:aws:s3:::${index}${'x'.repeat(1500)}`,
    )
    const long = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: resources }],
    })
    await admin.putInlinePolicy(alice, 'p', long)
    await admin.putInlinePolicy(alice, 'p', long)
    await refuses(admin.putInlinePolicy(alice, 'q', long), 'limit_exceeded')
    await refuses(admin.deleteInlinePolicy(alice, 'q'), 'no_such_entity')
    await admin.deleteInlinePolicy(alice, 'p')
    assert.deepEqual(admin.policiesOf('alice'), [])
    await admin.close()
  })

  it('named like members of every object are names like others', async () => {
    const { admin } = await open()
    await admin.createUser('alice')
    for (const name of ['__proto__', 'constructor', 'toString']) {
      await admin.putInlinePolicy(alice, name, allow('s3:GetObject'))
    }
    assert.equal(admin.policiesOf('alice')?.length, 3)
    await admin.createPolicy('__proto__', allow('s3:GetObject'))
    await admin.attachPolicy(alice, '__proto__')
    assert.equal(admin.policiesOf('alice')?.length, 4)
    await admin.close()
  })
})

describe('people and groups of a directory', () => {
  const dn = { kind: 'ldap-group', name: 'cn=staff,dc=example,dc=org' } as const

  it('have the policies that are attached to exactly their name and kind', async () => {
    const { admin, state } = await open()
    await admin.createPolicy('p', allow('s3:*'))
    await admin.attachPrincipalPolicy(dn, 'p')
    assert.deepEqual(
      admin.policiesAttachedTo(dn).map(({ name }) => name),
      ['p'],
    )
    assert.deepEqual(admin.policiesAttachedTo({ ...dn, kind: 'ldap-user' }), [])
    assert.deepEqual(admin.policiesAttachedTo({ ...dn, name: 'cn=staff,dc=example' }), [])
    await refuses(admin.deletePolicy('p'), 'delete_conflict')
    await admin.detachPrincipalPolicy(dn, 'p')
    await refuses(admin.detachPrincipalPolicy(dn, 'p'), 'no_such_entity')
    assert.deepEqual((await state.list('admin/ldap-')).entries, [])
    await admin.deletePolicy('p')
    await admin.close()
  })

  it('may have names of any letters, but not of any length, and unknown policies are refused', async () => {
    const { admin } = await open()
    const greek = { ...dn, name: 'cn=Ελένη/#%,dc=example' }
    await admin.attachPrincipalPolicy(greek, 'readonly')
    assert.equal(admin.policiesAttachedTo(greek).length, 1)
    for (const name of ['', 'staff', 'cn=a\nb', `cn=${'x'.repeat(700)}`, 'cn=\ud800']) {
      await refuses(admin.attachPrincipalPolicy({ ...dn, name }, 'readonly'), 'invalid_name')
    }
    await refuses(admin.attachPrincipalPolicy(dn, 'unknown'), 'no_such_entity')
    await admin.close()
  })

  it('are those of one directory, where several have people of that name', async () => {
    const { admin, state } = await open({ ldapHome: () => 'staff' })
    const staff = { ...dn, directory: 'staff' }
    const guests = { ...dn, directory: 'guests' }
    await admin.attachPrincipalPolicy(guests, 'readonly')
    assert.deepEqual(admin.policiesAttachedTo(staff), [])
    assert.deepEqual(admin.policiesAttachedTo(dn), [])
    assert.equal(admin.policiesAttachedTo(guests).length, 1)
    await admin.attachPrincipalPolicy(dn, 'readwrite')
    assert.deepEqual(
      admin.listAttachments().map(({ policy, subject }) => [policy, subject]),
      [
        ['readonly', guests],
        ['readwrite', staff],
      ],
    )
    await refuses(admin.detachPrincipalPolicy(guests, 'readwrite'), 'no_such_entity')
    await admin.detachPrincipalPolicy(staff, 'readwrite')
    await admin.detachPrincipalPolicy(guests, 'readonly')
    assert.deepEqual((await state.list('admin/ldap-')).entries, [])
    for (const directory of ['', 'a/b', 'a b', 'x'.repeat(65)]) {
      await refuses(admin.attachPrincipalPolicy({ ...dn, directory }, 'readonly'), 'invalid_name')
    }
    await admin.close()
  })

  it('keep, when a second directory comes, what they had, and share it with nobody', async () => {
    const alone = await open()
    await alone.admin.attachPrincipalPolicy({ ...dn, directory: 'staff' }, 'readwrite')
    await alone.admin.close()
    const { state } = alone
    const { admin } = await open({ state, ldapHome: () => 'staff' })
    const names = (directory: string) =>
      admin.policiesAttachedTo({ ...dn, directory }).map(({ name }) => name)
    assert.deepEqual(names('staff'), ['readwrite'])
    assert.deepEqual(names('guests'), [])
    // Twice is once: nothing is left when it is taken away.
    await admin.attachPrincipalPolicy({ ...dn, directory: 'staff' }, 'readwrite')
    await admin.detachPrincipalPolicy({ ...dn, directory: 'staff' }, 'readwrite')
    assert.deepEqual(names('staff'), [])
    assert.deepEqual((await state.list('admin/ldap-')).entries, [])
    await admin.close()
  })

  it('keep what they had when theirs is the only directory again, or is called something else', async () => {
    const several = await open({ ldapHome: () => 'staff' })
    await several.admin.attachPrincipalPolicy({ ...dn, directory: 'staff' }, 'readonly')
    await several.admin.attachPrincipalPolicy({ ...dn, directory: 'guests' }, 'writeonly')
    await several.admin.close()
    const { admin, state } = await open({ state: several.state })
    const names = (directory: string) =>
      admin.policiesAttachedTo({ ...dn, directory }).map(({ name }) => name)
    assert.deepEqual(names('staff'), ['readonly'])
    await admin.attachPrincipalPolicy({ ...dn, directory: 'staff' }, 'readwrite')
    assert.deepEqual(names('staff').toSorted(), ['readonly', 'readwrite'])
    assert.deepEqual(names('corp'), ['readwrite'])
    await admin.detachPrincipalPolicy({ ...dn, directory: 'staff' }, 'readonly')
    assert.deepEqual(names('staff'), ['readwrite'])
    assert.equal((await state.list('admin/ldap-')).entries.length, 2)
    await admin.close()
  })

  it('are denied everything when what is stored of them cannot be read', async () => {
    const { admin, state } = await open()
    await admin.attachPrincipalPolicy(dn, 'readwrite')
    const [entry] = (await state.list('admin/ldap-group/')).entries
    assert.ok(entry)
    await state.commit([], [{ kind: 'put', key: entry.key, value: 'x' }])
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.deepEqual(
      admin.policiesAttachedTo(dn).map(({ policy }) => policy.kind),
      ['broken'],
    )
    await admin.close()
  })
})

describe('documents of the first schema', () => {
  it('are read, and written in the second, which an older version refuses', async () => {
    const { admin, state } = await open()
    const text = parsePolicy(allow('s3:GetObject'), 'identity').text
    const createdAt = '2025-01-01T00:00:00.000Z'
    const policy = { schema: 1, text, createdAt, updatedAt: createdAt }
    const user = { schema: 1, status: 'enabled', policies: ['p'], accessKeys: [], createdAt }
    await state.commit(
      [],
      [
        { kind: 'put', key: 'admin/policy/p', value: JSON.stringify(policy) },
        { kind: 'put', key: 'admin/user/alice', value: JSON.stringify(user) },
      ],
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { id } = admin.findUser('alice') ?? {}
    assert.match(id ?? '', /^AIDA[A-Z0-9]{16}$/)
    assert.equal(admin.policiesOf('alice')?.[0]?.policy.kind, 'identity')
    assert.equal(admin.findPolicy('p')?.defaultVersion, 'v1')
    await admin.createGroup('staff')
    await admin.addUserToGroup('staff', 'alice')
    await admin.createPolicyVersion('p', allow('s3:PutObject'), true)
    assert.equal(admin.findUser('alice')?.id, id, 'still the same user')
    assert.deepEqual(
      admin.findPolicy('p')?.versions.map((version) => version.id),
      ['v1', 'v2'],
    )
    for (const { value } of (await state.list('admin/')).entries) {
      assert.equal(JSON.parse(value).schema, 3)
    }
    await admin.close()
  })
})
