import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLdapHomes } from './homes.ts'
import type { LdapDirectory } from './settings.ts'

function directory(name: string, userBase: string, groupBase = userBase): LdapDirectory {
  return {
    name,
    servers: ['ldap.example.org'],
    lookupBindDn: 'cn=lookup',
    userBaseDns: [userBase],
    userFilter: '(uid=%s)',
    groupBaseDns: [groupBase],
    groupFilter: '(member=%d)',
  }
}

describe('the directory that a name is taken for', () => {
  const homeOf = createLdapHomes([
    directory('staff', 'OU=People,dc=example', 'ou=groups,dc=example'),
    directory('guests', 'dc=guests,dc=example'),
    directory('all', 'dc=example'),
  ])

  it('is the one below whose bases it lies, be it of people or of groups', () => {
    assert.equal(homeOf('uid=a,ou=people,dc=example'), 'staff')
    assert.equal(homeOf('cn=a,ou=groups,dc=example'), 'staff')
    assert.equal(homeOf('uid=a,dc=guests,dc=example'), 'guests')
    assert.equal(homeOf('uid=a,dc=example'), 'all')
  })

  it('is the first of several, and the first of all for a name that lies nowhere', () => {
    assert.equal(homeOf('uid=a,ou=people,dc=example'), 'staff')
    assert.equal(homeOf('uid=a,dc=elsewhere'), 'staff')
    assert.equal(homeOf('uid=a,xou=people,dc=example'), 'all')
  })

  it('is the same when it is asked again', () => {
    for (let time = 0; time < 3; time += 1) assert.equal(homeOf('uid=b,dc=example'), 'all')
  })
})
