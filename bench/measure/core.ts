import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createAccess } from '../../src/access/index.ts'
import type { Access } from '../../src/access/index.ts'
import { openAdministration } from '../../src/admin/index.ts'
import type { Administration } from '../../src/admin/index.ts'
import {
  createSessions,
  createVault,
  loadMasterKey,
  openKeyRing,
  openRevocations,
} from '../../src/credentials/index.ts'
import type { Sessions } from '../../src/credentials/index.ts'
import { createGrants } from '../../src/grants/index.ts'
import type { Grant, Grants } from '../../src/grants/index.ts'
import { createAccessKeyVerifier } from '../../src/identity/index.ts'
import { Secret } from '../../src/secret.ts'
import { openSqliteState } from '../../src/store/index.ts'

/** The core rooms over a directory, wired as the server wires them, without its doors. */
export type Core = Readonly<{
  admin: Administration
  sessions: Sessions
  grants: Grants
  access: Access
  close(): Promise<void>
}>

const clock = (): Date => new Date()
const random = randomBytes

export async function openCore(dir: string): Promise<Core> {
  const state = await openSqliteState(join(dir, 'state.db'), { clock })
  const masterKey = loadMasterKey({ env: {}, dir, mayCreate: true }).key
  const ring = await openKeyRing(state, { masterKey, clock, random })
  const revocations = await openRevocations(state, { clock, random })
  const sessions = createSessions({ ring, revocations, clock, random })
  const admin = await openAdministration({
    state,
    vault: createVault(masterKey, random),
    overlay: { policies: [], users: [], accessKeys: [] },
    rolePolicies: new Set(),
    revokeUser: () => Promise.resolve(),
    revokeRole: () => Promise.resolve(),
    revokeProvider: () => Promise.resolve(),
    clock,
    random,
    onError(what, error) {
      throw new Error(what, { cause: error })
    },
  })
  const grants = createGrants({
    tenant: 'default',
    directory: admin,
    providers: [],
    limits: {
      minSeconds: 900,
      maxSeconds: 43_200,
      defaultSeconds: 3600,
      maxSessionPolicyBytes: 2048,
    },
    clock,
  })
  const access = createAccess({
    root: { accessKeyId: 'benchroot', secretAccessKey: new Secret(random(20).toString('hex')) },
    directory: admin,
    roles: grants,
    sessions,
    sealDenial: () => '',
    onDenial: () => undefined,
    random,
  })
  return {
    admin,
    sessions,
    grants,
    access,
    async close() {
      for (const part of [admin, revocations, ring, state]) await part.close()
    },
  }
}

/** A grant for a user of the directory, as AssumeRole makes one. */
export async function grantFor(core: Core, user: string, sessionPolicy?: object): Promise<Grant> {
  const signer = { kind: 'user', accessKeyId: 'benchuser', user } as const
  const verifier = createAccessKeyVerifier()
  const principal = await verifier.verify({ kind: 'signature', signer }, clock())
  if (principal === undefined) throw new Error('the signature was judged by nobody')
  return core.grants.authorizeUser(principal, {
    action: 'sts:AssumeRole',
    roleSessionName: 'bench',
    client: { source: '127.0.0.1', secure: false },
    ...(sessionPolicy === undefined ? {} : { sessionPolicy: JSON.stringify(sessionPolicy) }),
  })
}
