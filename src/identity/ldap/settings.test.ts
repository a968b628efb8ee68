import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLdapVerifier } from './ldap-verifier.ts'
import { parseDirectory, type LdapDirectory } from './settings.ts'

const good: LdapDirectory = {
  name: 'staff',
  servers: ['ldap.example.org'],
  lookupBindDn: 'cn=lookup,dc=example,dc=org',
  userBaseDns: ['ou=people,dc=example,dc=org'],
  userFilter: '(uid=%s)',
}

describe('settings of a directory (minio-sts 10.1)', () => {
  it('speak TLS from the start unless told otherwise', () => {
    const { source, connection } = parseDirectory(good)
    assert.equal(connection.security, 'ldaps')
    assert.equal(connection.insecureSkipVerify, false)
    assert.deepEqual(source, { kind: 'list', targets: [{ host: 'ldap.example.org', port: 636 }] })
  })

  it('turn to TLS when both StartTLS and plain text are asked for', () => {
    const { connection, source } = parseDirectory({ ...good, startTls: true, insecurePlain: true })
    assert.equal(connection.security, 'starttls')
    assert.deepEqual(source.kind === 'list' && source.targets[0]?.port, 389)
  })

  it('know addresses of IPv6, and ports', () => {
    const { source } = parseDirectory({ ...good, servers: ['[::1]:1636', '10.0.0.1', 'a.b:3269'] })
    assert.deepEqual(source.kind === 'list' && source.targets, [
      { host: '::1', port: 1636 },
      { host: '10.0.0.1', port: 636 },
      { host: 'a.b', port: 3269 },
    ])
  })

  const people = 'ou=people,dc=example,dc=org'
  const wrong: Record<string, Partial<LdapDirectory>> = {
    'no name': { name: '' },
    'the name of our own users': { name: 'internal' },
    'no server': { servers: [] },
    'a URL for a server': { servers: ['ldaps://ldap.example.org'] },
    'a port that is none': { servers: ['ldap.example.org:0'] },
    'servers and SRV records': { srvRecord: '_ldap._tcp.example.org' },
    'an SRV record that is no name': { servers: undefined, srvRecord: 'x y' },
    'no lookup account': { lookupBindDn: '' },
    'a mechanism for a lookup account': { lookupBindDn: 'EXTERNAL' },
    'no place of people': { userBaseDns: [] },
    'a place of people that is no name': { userBaseDns: ['people'] },
    'one place twice': { userBaseDns: [people, 'OU=People, dc=example,dc=org'] },
    'one place within another': { userBaseDns: [people, `ou=x,${people}`] },
    'a filter without the login name': { userFilter: '(uid=alice)' },
    'a filter of people by their name': { userFilter: '(member=%d)' },
    'groups without a filter': { groupBaseDns: [people] },
    'a filter of groups without a place': { groupFilter: '(member=%d)' },
    'a filter of groups for nobody': { groupBaseDns: [people], groupFilter: '(objectClass=*)' },
    'nested groups without groups': { nestedGroups: true },
    'nested groups by login name': {
      groupBaseDns: [people],
      groupFilter: '(memberUid=%s)',
      nestedGroups: true,
    },
    'an attribute that is none': { userAttributes: ['a b'] },
    'the attribute of the library': { userAttributes: ['DN'] },
    'a user name of no attribute': { usernameAttribute: '*' },
    'no time at all': { timeoutSeconds: 0 },
    'endless time': { timeoutSeconds: Infinity },
    'no connections': { connections: 0 },
    'half a connection': { connections: 1.5 },
    'an empty name for TLS': { tlsServerName: '' },
  }
  for (const [what, change] of Object.entries(wrong)) {
    it(`refuse ${what}, naming the directory`, () => {
      assert.throws(
        () => parseDirectory({ ...good, ...change }),
        (error) => error instanceof TypeError && error.message.startsWith('LDAP directory "'),
      )
    })
  }

  it('refuse two directories of one name', () => {
    const clock = () => new Date()
    assert.throws(() => createLdapVerifier({ directories: [good, good], clock }), TypeError)
  })
})
