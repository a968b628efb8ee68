import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { createVault } from '../../credentials/index.ts'
import { MemoryState } from '../../credentials/testing/memory-state.ts'
import { Secret } from '../../secret.ts'
import type { State } from '../../state.ts'
import { AdminError, openAdministration } from '../index.ts'
import type { Administration, AdminErrorCode, Overlay } from '../index.ts'

export const clock = (): Date => new Date('2026-01-01T12:00:00Z')
export const masterKey = createSecretKey(randomBytes(32))
export const allow = (action: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
  })

export const nothing: Overlay = { policies: [], users: [], accessKeys: [] }
const declared = { createdAt: new Date(0), managedBy: 'file' } as const
export const withFileUser: Overlay = {
  policies: [],
  users: [{ name: 'filed', status: 'enabled', policies: ['readonly'], ...declared }],
  accessKeys: [
    {
      accessKeyId: 'FILEDKEY',
      secretAccessKey: new Secret('a long enough secret'),
      user: 'filed',
      status: 'Active',
      ...declared,
    },
  ],
}

export type Opened = { admin: Administration; state: State; revoked: string[]; errors: string[] }

export async function open(
  given: {
    state?: State
    overlay?: Overlay
    roles?: string[]
    ldapHome?: (name: string) => string
  } = {},
): Promise<Opened> {
  const state = given.state ?? new MemoryState({ clock })
  const revoked: string[] = []
  const errors: string[] = []
  const admin = await openAdministration({
    state,
    vault: createVault(masterKey, randomBytes),
    overlay: given.overlay ?? nothing,
    rolePolicies: new Set(given.roles ?? []),
    revokeUser: (name) => Promise.resolve(revoked.push(name)),
    revokeRole: ({ arn }) => Promise.resolve(revoked.push(arn)),
    revokeProvider: ({ arn }) => Promise.resolve(revoked.push(arn)),
    ldapHome: given.ldapHome,
    clock,
    random: randomBytes,
    onError: (what) => errors.push(what),
  })
  return { admin, state, revoked, errors }
}

export async function refuses(promise: Promise<unknown>, code: AdminErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof AdminError, String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}

export const trust = (principal: object = { AWS: '*' }): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }],
  })
