import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { createAccess } from '../../access/index.ts'
import type { KnownCaller } from '../../access/index.ts'
import { openAdministration } from '../../admin/index.ts'
import type { Administration } from '../../admin/index.ts'
import { CredentialsError } from '../../credentials/index.ts'
import type { NewRevocation, RevocationRule } from '../../credentials/index.ts'
import { MemoryState } from '../../credentials/testing/memory-state.ts'
import type { HttpRequest, HttpResponse } from '../../http.ts'
import { parsePolicy } from '../../policy/index.ts'
import { Secret } from '../../secret.ts'
import { signRequest } from '../../sigv4/index.ts'
import type { ClientKey } from '../../sigv4/index.ts'
import { createIamFace } from '../face.ts'
import type { IamFace } from '../face.ts'
import type { IamAuditEvent, IamFaceOptions } from '../types.ts'

const now = new Date('2026-03-04T05:06:07.890Z')

export const root: ClientKey = {
  accessKeyId: 'rootkey',
  secret: new Secret('root secret of the tests'),
}

/** A face over the real administration and the real signature check, with everything around it in memory. */
export type World = Readonly<{
  face: IamFace
  admin: Administration
  audit: IamAuditEvent[]
  faults: unknown[]
  revoked: NewRevocation[]
  /** A user with one key; its only policy is this document. */
  makeUser(name: string, document?: object): Promise<ClientKey>
}>

export async function makeWorld(
  t: TestContext,
  change: Partial<
    Pick<
      IamFaceOptions<KnownCaller>,
      | 'audit'
      | 'authenticate'
      | 'authorize'
      | 'findBucketPolicy'
      | 'directories'
      | 'knowsProvider'
      | 'tenantCeiling'
    >
  > = {},
): Promise<World> {
  const audit: IamAuditEvent[] = []
  const faults: unknown[] = []
  const revoked: NewRevocation[] = []
  const admin = await openAdministration({
    state: new MemoryState(),
    vault: { seal: (_, text) => text, open: (_, text) => text },
    overlay: fileOverlay,
    rolePolicies: new Set<string>(),
    revokeUser: () => Promise.resolve(),
    revokeRole: () => Promise.resolve(),
    revokeProvider: () => Promise.resolve(),
    ldapHome: (change.directories?.names.length ?? 0) > 1 ? change.directories?.homeOf : undefined,
    clock: () => now,
    random: randomBytes,
    onError: (what, error) => faults.push(what, error),
  })
  t.after(() => admin.close())
  const access = createAccess({
    root: { accessKeyId: root.accessKeyId, secretAccessKey: root.secret },
    directory: admin,
    roles: { policiesOfRole: () => undefined },
    tenantCeiling: change.tenantCeiling,
    sessions: {
      open: () => {
        throw new CredentialsError('token_invalid', 'There are no sessions in this test')
      },
      assertLive: () => undefined,
    },
    sealDenial: (trace) => `sealed.${Buffer.from(trace.decisionId).toString('base64url')}`,
    onDenial: () => undefined,
    random: randomBytes,
  })
  const face = createIamFace({
    admin,
    keys: fakeKeys(),
    revocations: fakeRevocations(revoked),
    authenticate: (request, bodySha256) =>
      access.authenticate(request, { services: ['iam'], bodySha256 }),
    authorize: (caller, request, permission) => access.authorize(caller, request, [permission]),
    audit: async (event) => {
      audit.push(event)
    },
    logFault: (_, error) => faults.push(error),
    clock: () => now,
    ...change,
  })
  return { face, admin, audit, faults, revoked, makeUser: (...args) => makeUser(admin, ...args) }
}

const filePolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
})

const fileOverlay = {
  policies: [
    {
      name: 'from-file',
      policy: parsePolicy(filePolicy, 'identity'),
      createdAt: now,
      updatedAt: now,
      managedBy: 'file',
    },
  ],
  users: [
    {
      name: 'file-user',
      status: 'enabled',
      policies: ['from-file'],
      createdAt: now,
      managedBy: 'file',
    },
  ],
  accessKeys: [
    {
      accessKeyId: 'filekey',
      secretAccessKey: new Secret('secret in the file'),
      user: 'file-user',
      status: 'Active',
      createdAt: now,
      managedBy: 'file',
    },
  ],
} as const

async function makeUser(
  admin: Administration,
  name: string,
  document?: object,
): Promise<ClientKey> {
  await admin.createUser(name)
  if (document) {
    await admin.createPolicy(`of-${name}`, JSON.stringify(document))
    await admin.attachUserPolicy(name, `of-${name}`)
  }
  const key = await admin.createAccessKey(name)
  return { accessKeyId: key.accessKeyId, secret: key.secretAccessKey }
}

function fakeKeys(): IamFaceOptions['keys'] {
  let generation = 1
  return {
    list: () => [{ id: `k${generation}`, status: 'active', createdAt: now }],
    rotate: () => Promise.resolve(generation++),
  }
}

function fakeRevocations(revoked: NewRevocation[]): IamFaceOptions['revocations'] {
  const complete = (rule: NewRevocation, index: number): RevocationRule => ({
    issuedBefore: now,
    expiresAt: now,
    ...rule,
    id: `r${index}`,
  })
  return {
    revoke: (rule) => Promise.resolve(complete(rule, revoked.push(rule))),
    list: () => revoked.map(complete),
  }
}

export type Fields = Readonly<Record<string, string>>

export function formOf(action: string, fields: Fields = {}): string {
  return new URLSearchParams({ Action: action, Version: '2010-05-08', ...fields }).toString()
}

/** A POST with a form body, signed when a key is given. */
export function post(body: string, key?: ClientKey, extra: Fields = {}): HttpRequest {
  const type = 'application/x-www-form-urlencoded'
  const headers = Object.entries({ host: 'daypass.test', 'content-type': type, ...extra })
  const sha256 = createHash('sha256').update(body).digest('hex')
  const unsigned = { method: 'POST', path: '/', query: '', headers }
  const target = { region: 'us-east-1', service: 'iam' }
  const signed = key ? signRequest(unsigned, key, target, now, sha256) : []
  return {
    ...unsigned,
    id: '0123456789ABCDEF',
    headers: [...headers, ...signed],
    body: Readable.from([Buffer.from(body)]),
    source: '192.0.2.7',
    secure: false,
    receivedAt: now,
    proceed: () => undefined,
  }
}

export async function call(
  world: World,
  key: ClientKey | undefined,
  action: string,
  fields: Fields = {},
): Promise<Readonly<{ response: HttpResponse; text: string; code: string | undefined }>> {
  return read(await world.face.handle(post(formOf(action, fields), key)))
}

export function read(response: HttpResponse): Awaited<ReturnType<typeof call>> {
  const text = bodyOf(response)
  return { response, text, code: /<Code>([^<]*)<\/Code>/.exec(text)?.[1] }
}

export function bodyOf({ body }: HttpResponse): string {
  return typeof body === 'string' ? body : ''
}

/** The text of the first element of this name. */
export function element(text: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
}

export function document(action: string | readonly string[], resource = '*'): object {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: resource }],
  }
}
