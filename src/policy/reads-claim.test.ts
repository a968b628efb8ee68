import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parsePolicy, readsClaim } from './index.ts'
import type { PolicyKind } from './index.ts'

const allow = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }

function reads(statement: object, kind: PolicyKind = 'identity', Version = '2012-10-17'): boolean {
  return readsClaim(parsePolicy(JSON.stringify({ Version, Statement: statement }), kind), 'groups')
}

const under = (key: string) => ({ ...allow, Condition: { StringEquals: { [key]: 'x' } } })

describe('whether a policy reads a claim', () => {
  test('does when a condition names it, in whichever namespace of tokens', () => {
    for (const key of [
      'jwt:groups',
      'aws:groups',
      'dex:groups',
      'idp.example.com/a:groups',
      'JWT:Groups',
    ]) {
      assert.equal(reads(under(key)), true, key)
    }
    assert.equal(reads(under('dex:groups.staff')), true)
    assert.equal(reads({ ...under('jwt:groups'), Effect: 'Deny' }), true)
  })

  test('does when a variable names it', () => {
    const Resource = 'arn:aws:s3:::data/${jwt:groups}/*'
    assert.equal(reads({ ...allow, Resource }), true)
    assert.equal(reads({ ...allow, Resource }, 'identity', '2008-10-17'), false, 'was plain text')
    const Condition = { StringEquals: { 'aws:PrincipalTag/team': '${dex:groups}' } }
    assert.equal(reads({ ...allow, Condition }), true)
  })

  test('does not for other claims, for the groups of a directory, and for names that are no claim', () => {
    for (const key of [
      'jwt:sub',
      'jwt:groupsx',
      'jwt:mygroups',
      'ldap:groups',
      'aws:PrincipalTag/groups',
    ]) {
      assert.equal(reads(under(key)), false, key)
    }
    assert.equal(reads({ ...allow, Resource: 'arn:aws:s3:::groups' }), false)
    assert.equal(readsClaim({ kind: 'broken', problem: 'jwt:groups' }, 'groups'), false)
  })

  test('does in trust policies', () => {
    const statement = {
      Effect: 'Deny',
      Principal: { Federated: 'dex' },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: { StringEquals: { 'dex:groups': 'contractors' } },
    }
    assert.equal(reads(statement, 'trust'), true)
  })
})
