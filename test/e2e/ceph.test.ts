import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it, type TestContext } from 'node:test'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import * as fc from 'fast-check'
import { isAllowed, parsePolicy } from '../../src/policy/index.ts'
import { ExchangeError } from '../../src/exchange.ts'
import { Secret } from '../../src/secret.ts'
import { createTargets } from '../../src/targets/index.ts'
import type { AssumeRoleTarget, TargetEvent, Targets } from '../../src/targets/index.ts'
import { allow, boundGrant, documentOf, type Scene } from '../../src/targets/testing/bound.ts'
import { startCeph, type CephLab } from '../labs/ceph-lab.ts'
import { s3Client, type SessionKeys } from './keys.ts'

const Bucket = 'data'
const everything = ['arn:aws:s3:::data', 'arn:aws:s3:::data/*']
const keys = ['in/a', 'in/b', 'out/a'] as const

/** Requests as clients send them, and what policies are asked for them. */
const requests = [
  ...keys.flatMap((Key) => [
    { action: 's3:GetObject', Key },
    { action: 's3:PutObject', Key },
    { action: 's3:DeleteObject', Key },
  ]),
  { action: 's3:ListBucket', Key: '' },
] as const
type Request = (typeof requests)[number]

describe('Ceph as a tenant: a foreign STS with roles', () => {
  let lab: CephLab | string
  let targets: Targets
  const log: TargetEvent[] = []

  before(async () => {
    lab = await startCeph()
    if (typeof lab === 'string') return
    const owner = s3Client(lab.url, keysOf('OWNER', lab))
    await owner.send(new CreateBucketCommand({ Bucket }))
    targets = createTargets({
      targetOf: (tenant) => (typeof lab === 'string' ? undefined : target(lab, tenant)),
      clock: () => new Date(),
      random: randomBytes,
      log: (event) => log.push(event),
    })
  })
  after(async () => {
    if (typeof lab === 'string') return
    await targets.close()
    await lab.down()
  })

  const keysOf = (accessKeyId: string, { secret }: CephLab) => ({
    accessKeyId,
    secretAccessKey: secret,
  })

  function target({ url, roleArn, secret }: CephLab, tenant: string): AssumeRoleTarget {
    return {
      kind: 'assume-role',
      tenant,
      endpoint: url,
      dialect: 'aws',
      region: 'default',
      roleArn,
      ca: () => Promise.resolve(undefined),
      maxPolicyBytes: 2048,
      credentials: () =>
        Promise.resolve({ accessKeyId: 'BROKER', secretAccessKey: new Secret(secret) }),
      findPolicy: () => undefined,
      asksTenant: true,
      missingPolicy: 'fail',
    }
  }

  /** Skips loudly where there is no Ceph. */
  function atCeph(title: string, run: (ceph: CephLab, t: TestContext) => Promise<void>): void {
    it(title, async (t) => {
      if (typeof lab === 'string') return t.skip(lab)
      await run(lab, t)
    })
  }

  async function issue(scene: Scene): Promise<SessionKeys> {
    const given = await targets.issue(boundGrant(scene))
    return {
      accessKeyId: given.accessKeyId,
      secretAccessKey: given.secretAccessKey.reveal(),
      sessionToken: given.sessionToken.reveal(),
    }
  }

  /** What the keys may do there, by trying it. Objects are there each time: of missing ones Ceph tells everybody. */
  function may(ceph: CephLab, session: SessionKeys): (request: Request) => Promise<boolean> {
    const owner = s3Client(ceph.url, keysOf('OWNER', ceph))
    const s3 = s3Client(ceph.url, session)
    const send = ({ action, Key }: Request): Promise<unknown> => {
      if (action === 's3:PutObject')
        return s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
      if (action === 's3:DeleteObject') return s3.send(new DeleteObjectCommand({ Bucket, Key }))
      if (action === 's3:ListBucket') return s3.send(new ListObjectsV2Command({ Bucket }))
      return s3
        .send(new GetObjectCommand({ Bucket, Key }))
        .then(({ Body }) => Body?.transformToString())
    }
    return async (request) => {
      const { Key } = request
      if (Key !== '') await owner.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
      return send(request).then(
        () => true,
        (error: unknown) => {
          assert.equal(error instanceof Error && error.name, 'AccessDenied', String(error))
          return false
        },
      )
    }
  }

  const answers = async (ceph: CephLab, scene: Scene) => {
    const tried = may(ceph, await issue(scene))
    const given: string[] = []
    for (const request of requests) {
      if (await tried(request)) given.push(`${request.action.slice(3)} ${request.Key}`.trim())
    }
    return given
  }

  atCeph('gives what the bound policy allows, and nothing else', async (ceph) => {
    const documents = [allow('s3:GetObject', 'arn:aws:s3:::data/in/*')]
    assert.deepEqual(await answers(ceph, { bindings: [{ documents }] }), [
      'GetObject in/a',
      'GetObject in/b',
    ])
  })

  atCeph("narrows by the caller's policy, which adds nothing", async (ceph) => {
    const documents = [allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::data/in/*')]
    const sessionPolicy = allow('s3:*', ['arn:aws:s3:::data/*/a', 'arn:aws:s3:::data'])
    const scene = { bindings: [{ documents }], request: { sessionPolicy } }
    assert.deepEqual(await answers(ceph, scene), ['GetObject in/a', 'PutObject in/a'])
  })

  atCeph('heeds denials and the ceiling', async (ceph) => {
    const Resource = ['arn:aws:s3:::data/in/b']
    const documents = [
      allow('s3:*', everything),
      documentOf({ Effect: 'Deny', Action: ['s3:*'], Resource }),
    ]
    const ceiling = allow(['s3:GetObject', 's3:ListBucket'], everything)
    const scene = { bindings: [{ documents }], tenant: { ceiling } }
    assert.deepEqual(await answers(ceph, scene), [
      'GetObject in/a',
      'GetObject out/a',
      'ListBucket',
    ])
  })

  atCeph('gives a role as it is where a binding names it alone', async (ceph) => {
    const scene = { bindings: [{ roleArn: ceph.roleArn }] }
    assert.equal((await answers(ceph, scene)).length, requests.length)
  })

  atCeph('refuses a role that the broker may not take', async () => {
    const scene = { bindings: [{ roleArn: 'arn:aws:iam:::role/none' }] }
    await assert.rejects(issue(scene), (error) => {
      assert.ok(error instanceof ExchangeError)
      assert.equal(error.code, 'target_refused')
      return true
    })
    assert.equal(log.at(-1)?.step, 'AssumeRole')
  })

  const lists = <T extends string>(...values: T[]) =>
    fc.subarray(values, { minLength: 1, maxLength: 2 })
  const statement = fc.record({
    Effect: fc.constantFrom('Allow', 'Allow', 'Allow', 'Deny'),
    Action: lists('s3:*', 's3:Get*', 's3:GetObject', 's3:PutObject', 's3:*Object', 's3:ListBucket'),
    Resource: lists(
      'arn:aws:s3:::*',
      'arn:aws:s3:::data',
      'arn:aws:s3:::data/*',
      'arn:aws:s3:::data/in/*',
      'arn:aws:s3:::data/*/a',
      'arn:aws:s3:::data/in/b',
    ),
  })
  const someDocument = fc
    .array(statement, { minLength: 1, maxLength: 3 })
    .map((statements) => documentOf(...statements))

  atCeph('decides as we do, for any bound documents and any policy of the caller', async (ceph) => {
    const bound = fc.array(someDocument, { minLength: 1, maxLength: 2 })
    const some = fc.shuffledSubarray([...requests], { minLength: 4, maxLength: 4 })
    const counts = { allowed: 0, denied: 0 }
    await fc.assert(
      fc.asyncProperty(bound, fc.option(someDocument), some, async (documents, own, asked) => {
        const scene: Scene = {
          bindings: [{ documents }],
          request: own === null ? {} : { sessionPolicy: own },
        }
        const tried = may(ceph, await issue(scene))
        for (const request of asked) {
          const expected = byAll(documents, own ?? undefined, request)
          assert.equal(await tried(request), expected, JSON.stringify({ documents, own, request }))
          counts[expected ? 'allowed' : 'denied'] += 1
        }
      }),
      { numRuns: 60 },
    )
    assert.ok(counts.allowed > 20 && counts.denied > 20, JSON.stringify(counts))
  })
})

/** What bound documents and the caller's allow together, each layer for itself. */
function byAll(
  bound: readonly string[],
  own: string | undefined,
  { action, Key }: Request,
): boolean {
  return isAllowed({
    principal: { kind: 'user', account: '000000000000', arn: 'arn:aws:iam::000000000000:user/x' },
    accesses: [
      { action, resource: Key === '' ? `arn:aws:s3:::${Bucket}` : `arn:aws:s3:::${Bucket}/${Key}` },
    ],
    facts: { aws: { CurrentTime: new Date() } },
    identity: bound.map((text) => ({ name: 'bound', policy: parsePolicy(text, 'identity') })),
    ceilings:
      own === undefined
        ? []
        : [{ name: 'own', policies: [{ name: 'own', policy: parsePolicy(own, 'session') }] }],
  })
}
