import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { SignatureV4 } from '@smithy/signature-v4'
import type { HttpResponse } from '../http.ts'
import {
  aliceKey,
  bobKey,
  elementOf,
  openHouse,
  request,
  rootKey,
  stream,
  text,
  token,
  uploaderArn,
  type House,
  type Key,
} from './testing/house.ts'

type SdkRequest = Readonly<{
  method: string
  path: string
  query: Readonly<Record<string, string | readonly string[] | null>>
  headers: Readonly<Record<string, string>>
  body?: string
}>

const queryOf = (query: SdkRequest['query']) =>
  Object.entries(query)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
    .join('&')

/** The AWS SDK, which signs and parses as ever, with the face where its network would be. */
function client({ face }: House, key: Key): STSClient {
  return new STSClient({
    region: 'us-east-1',
    endpoint: 'http://sts.example.com',
    maxAttempts: 1,
    credentials: {
      accessKeyId: key.accessKeyId,
      secretAccessKey: key.secret.reveal(),
      ...(key.sessionToken && { sessionToken: key.sessionToken.reveal() }),
    },
    requestHandler: {
      async handle(sent: SdkRequest) {
        const response = await face.handle(arrived(sent))
        return { response: forSdk(response) }
      },
    },
  })
}

function arrived(sent: SdkRequest) {
  return request({
    method: sent.method,
    path: sent.path,
    query: queryOf(sent.query),
    headers: Object.entries(sent.headers),
    body: stream(sent.body ?? ''),
    receivedAt: new Date(),
  })
}

function forSdk(response: HttpResponse) {
  const { status, headers } = response
  return { statusCode: status, headers, body: Readable.from([text(response)]) }
}

const live = () => openHouse({ clock: () => new Date() })
const freshToken = () => token({ policy: 'readonly', aud: 'app' })

describe('the AWS SDK', () => {
  it('gets credentials by AssumeRole and uses them to ask who it is', async () => {
    const house = live()
    const wishes = { RoleArn: 'arn:aws:iam::123456789012:role/x', RoleSessionName: 'upload' }
    const role = await client(house, aliceKey).send(new AssumeRoleCommand(wishes))
    assert.equal(role.Credentials?.AccessKeyId, 'ASIA1')
    assert.equal(role.PackedPolicySize, 7)
    assert.ok(role.Credentials.Expiration instanceof Date)
    const [grant] = house.issued
    assert.ok(grant)
    const me = await client(house, house.keyOf(grant)).send(new GetCallerIdentityCommand({}))
    assert.equal(me.Arn, 'arn:aws:sts::000000000000:assumed-role/user=alice/upload')
    assert.equal(me.Arn, role.AssumedRoleUser?.Arn)
    assert.equal(me.UserId, role.AssumedRoleUser?.AssumedRoleId)
  })

  it('takes a role with tags, goes on from there, and asks for session and federation tokens', async () => {
    const house = live()
    const role = await client(house, aliceKey).send(
      new AssumeRoleCommand({
        RoleArn: uploaderArn,
        RoleSessionName: 'first',
        Tags: [{ Key: 'team', Value: 'blue' }],
        TransitiveTagKeys: ['team'],
        PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/consoleAdmin' }],
        SourceIdentity: 'ann',
        ExternalId: 'e-1',
      }),
    )
    assert.equal(role.AssumedRoleUser?.AssumedRoleId, 'AROAUPLOADER22222222:first')
    assert.equal(role.SourceIdentity, 'ann')
    assert.deepEqual([...(house.issued[0]?.tags ?? [])], [['team', 'blue']])
    const session = await client(house, aliceKey).send(new GetSessionTokenCommand({}))
    assert.equal(session.Credentials?.AccessKeyId, 'ASIA2')
    const federated = await client(house, rootKey).send(
      new GetFederationTokenCommand({
        Name: 'bob',
        PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/readonly' }],
      }),
    )
    assert.equal(federated.FederatedUser?.FederatedUserId, '000000000000:bob')
    const info = new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' })
    assert.equal((await client(house, rootKey).send(info)).Account, '000000000000')
    const [, byToken] = house.issued
    assert.ok(byToken)
    const chained = await client(house, house.keyOf(byToken)).send(
      new AssumeRoleCommand({ RoleArn: uploaderArn, RoleSessionName: 'second' }),
    )
    assert.equal(chained.AssumedRoleUser?.AssumedRoleId, 'AROAUPLOADER22222222:second')
  })

  it('gets credentials for a token', async () => {
    const house = openHouse()
    const wishes = { RoleArn: 'arn:aws:iam::123456789012:role/x', RoleSessionName: 'pod' }
    const command = new AssumeRoleWithWebIdentityCommand({
      ...wishes,
      WebIdentityToken: freshToken(),
    })
    const role = await client(house, aliceKey).send(command)
    assert.equal(role.Audience, 'app')
    assert.equal(role.Provider, 'https://idp.example.com')
    assert.equal(role.SubjectFromWebIdentityToken, 'alice')
    assert.ok(role.AssumedRoleUser?.Arn?.endsWith('/pod'))
  })

  it('tells refusals apart by the names that it knows', async () => {
    const house = live()
    const wishes = { RoleArn: 'arn:aws:iam::123456789012:role/x', RoleSessionName: 'pod' }
    const names = [
      ['token_expired', 'ExpiredTokenException'],
      ['token_signature', 'InvalidIdentityTokenException'],
      ['provider_unavailable', 'IDPCommunicationErrorException'],
      ['userinfo_rejected', 'IDPRejectedClaimException'],
    ]
    for (const [refuse, name] of names) {
      const WebIdentityToken = token({ refuse })
      const command = new AssumeRoleWithWebIdentityCommand({ ...wishes, WebIdentityToken })
      await assert.rejects(client(house, aliceKey).send(command), { name })
    }
    const wrong = new AssumeRoleCommand({ ...wishes, Policy: '{' })
    const malformed = client(house, aliceKey).send(wrong)
    await assert.rejects(malformed, { name: 'MalformedPolicyDocumentException' })
  })

  it('decodes an authorization message', async () => {
    const house = live()
    const EncodedMessage = Buffer.from('{"a":"<1>"}').toString('base64url')
    const command = new DecodeAuthorizationMessageCommand({ EncodedMessage })
    const decoded = await client(house, rootKey).send(command)
    assert.equal(decoded.DecodedMessage, '{"a":"<1>"}')
    const bad = new DecodeAuthorizationMessageCommand({ EncodedMessage: '!' })
    const name = 'InvalidAuthorizationMessageException'
    await assert.rejects(client(house, rootKey).send(bad), { name })
    await assert.rejects(client(house, bobKey).send(command), { name: 'AccessDenied' })
  })
})

/** What the signer of the AWS SDK wants for a hash. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret))
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data))
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
  reset(): void {}
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  if (!ArrayBuffer.isView(data)) return Buffer.from(data)
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

describe('a presigned link', () => {
  async function follow(Action: string) {
    const signer = new SignatureV4({
      service: 'sts',
      region: 'us-east-1',
      credentials: {
        accessKeyId: aliceKey.accessKeyId,
        secretAccessKey: aliceKey.secret.reveal(),
      },
      sha256: Sha256,
    })
    const link = await signer.presign({
      method: 'GET',
      protocol: 'http:',
      hostname: 'sts.example.com',
      path: '/',
      headers: { host: 'sts.example.com' },
      query: { Action, Version: '2011-06-15' },
    })
    const house = live()
    const { method, path, query = {}, headers } = link
    const response = await house.face.handle(arrived({ method, path, query, headers }))
    return { response, ...house }
  }

  it('may tell who signed it, as clusters let their nodes prove it', async () => {
    const { response } = await follow('GetCallerIdentity')
    assert.equal(elementOf(response, 'Arn'), 'arn:aws:iam::000000000000:user/alice')
  })

  it('never gets credentials', async () => {
    const { response, issued, events } = await follow('AssumeRole')
    assert.equal(elementOf(response, 'Code'), 'AccessDenied')
    assert.equal(response.status, 403)
    assert.equal(issued.length, 0)
    assert.equal(events[0]?.outcome, 'refused')
  })
})
