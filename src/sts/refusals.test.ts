import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HttpRequest } from '../http.ts'
import { Secret } from '../secret.ts'
import {
  aliceKey,
  bobKey,
  disabledKey,
  elementOf,
  get,
  now,
  openHouse,
  pluginArn,
  post,
  request,
  requestId,
  roleArn,
  signed,
  stream,
  text,
  webIdentity,
  type House,
  type HouseOptions,
  uploaderArn,
} from './testing/house.ts'

type Sender = (house: House) => HttpRequest | Promise<HttpRequest>
type Case = readonly [
  what: string,
  send: Sender,
  aws: readonly [number, string],
  minio: readonly [number, string],
  house?: HouseOptions,
]

const invalid = [400, 'InvalidParameterValue'] as const
const denied = [403, 'AccessDenied'] as const
const badToken = [400, 'InvalidIdentityToken'] as const
const expired = [400, 'ExpiredTokenException'] as const
const missing = [400, 'MissingParameter'] as const
const mismatch = [403, 'SignatureDoesNotMatch'] as const
const unknownKey = [403, 'InvalidClientTokenId'] as const
const skewed = [403, 'RequestTimeTooSkewed'] as const

const assume = { Action: 'AssumeRole' }
const toRole = { ...assume, RoleArn: uploaderArn }
const tag = { 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'blue' }
const insecure = [400, 'InsecureConnection'] as const
const login =
  (password: object, LDAPUsername = 'ann') =>
  () =>
    post({
      Action: 'AssumeRoleWithLDAPIdentity',
      LDAPUsername,
      LDAPPassword: JSON.stringify(password),
    })
const custom =
  (claims: object, RoleArn = pluginArn) =>
  () =>
    post({ Action: 'AssumeRoleWithCustomToken', RoleArn, Token: JSON.stringify(claims) })
function certificate(subject: string | undefined, more: { secure?: boolean } = {}): HttpRequest {
  const headers = subject === undefined ? [] : [['Test-Certificate', subject] as const]
  const { headers: plain, ...rest } = post(
    { Action: 'AssumeRoleWithCertificate' },
    { secure: true },
  )
  return { ...rest, ...more, headers: [...plain, ...headers] }
}
const byToken = (claims: object) => () => post(webIdentity(claims))
const wish = (more: Readonly<Record<string, string>>) => () => post(webIdentity(undefined, more))
const raw = (form: string) => () => request({ text: form })
const wrongSecret = { ...aliceKey, secret: new Secret('wrong-secret-key') }
const policy = (statement: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
const longPolicy = policy({
  Effect: 'Allow',
  Action: 's3:*',
  Resource: ['a', 'b', 'c'].map((key) => `arn:aws:s3:::b/${key.repeat(700)}`),
})

async function sessionKey({ face, issued, keyOf }: House) {
  await face.handle(signed(assume, aliceKey))
  const [grant] = issued
  assert.ok(grant)
  return keyOf(grant)
}

function without(name: string, plain: HttpRequest): HttpRequest {
  return { ...plain, headers: plain.headers.filter(([each]) => each !== name) }
}

function withHeader(name: string, value: string, plain: HttpRequest): HttpRequest {
  return { ...plain, headers: [...plain.headers, [name, value]] }
}

/** By the rows of MinIO's table of STS errors: what was folded into one code there has a code of its own at AWS. */
const cases: readonly Case[] = [
  // AssumeRole: signature, key, region, service scope or caller kind refused
  ['a wrong secret', () => signed(assume, wrongSecret), mismatch, denied],
  [
    'an unknown access key',
    () => signed(assume, { ...aliceKey, accessKeyId: 'NOBODY' }),
    unknownKey,
    denied,
  ],
  ['the key of a disabled user', () => signed(assume, disabledKey), unknownKey, denied],
  [
    'a signature for another service',
    () => signed(assume, aliceKey, { service: 's3' }),
    [400, 'IncompleteSignature'],
    denied,
  ],
  [
    'a body that is not the signed one',
    () => ({ ...signed(assume, aliceKey), body: stream('Action=AssumeRole&Version=2011-06-15&x') }),
    invalid,
    invalid,
  ],
  [
    'a signature over UNSIGNED-PAYLOAD',
    () => {
      const plain = withHeader('x-amz-content-sha256', 'UNSIGNED-PAYLOAD', signed(assume, aliceKey))
      return { ...plain, headers: plain.headers.toSpliced(2, 1) }
    },
    mismatch,
    denied,
  ],
  [
    'a signed header changed on its way',
    () => {
      const plain = signed(assume, aliceKey)
      return { ...plain, headers: plain.headers.with(0, ['Host', 'evil.example.com']) }
    },
    mismatch,
    denied,
  ],
  [
    'temporary credentials that ask for further ones, and name no role of ours',
    async (house) => signed(assume, await sessionKey(house)),
    denied,
    denied,
  ],
  [
    'a temporary key without its token',
    async (house) => {
      const { accessKeyId, secret } = await sessionKey(house)
      return signed(assume, { accessKeyId, secret })
    },
    unknownKey,
    denied,
  ],
  [
    'a temporary key with a foreign token',
    async (house) =>
      signed(assume, { ...(await sessionKey(house)), sessionToken: new Secret('x.y.z') }),
    unknownKey,
    denied,
  ],
  [
    'an expired session',
    async (house) => {
      const key = await sessionKey(house)
      const at = new Date(now.getTime() + 4_000_000)
      return signed({ Action: 'GetCallerIdentity' }, key, { at, parts: { receivedAt: at } })
    },
    [403, 'ExpiredToken'],
    denied,
  ],
  [
    'a session token with a long-lived key',
    () => signed(assume, { ...aliceKey, sessionToken: new Secret('x') }),
    unknownKey,
    denied,
  ],
  [
    'a session token without a signature',
    () => withHeader('x-amz-security-token', 'x', post(assume)),
    [403, 'MissingAuthenticationToken'],
    denied,
  ],
  [
    'a presigned AssumeRole',
    () => post(assume, { query: presignedQuery }),
    [400, 'IncompleteSignature'],
    denied,
  ],
  [
    'a signature without a date',
    () => without('x-amz-date', signed(assume, aliceKey)),
    [400, 'IncompleteSignature'],
    [400, 'AccessDenied'],
  ],
  [
    'a clock that is 16 minutes off',
    () => signed(assume, aliceKey, { at: new Date(now.getTime() - 960_000) }),
    skewed,
    skewed,
  ],
  [
    'Basic authorization',
    () => withHeader('Authorization', 'Basic YTpi', post(assume)),
    [400, 'IncompleteSignature'],
    [400, 'InvalidRequest'],
  ],
  [
    'two ways of authentication at once',
    () => ({ ...signed(assume, aliceKey), query: presignedQuery }),
    [400, 'InvalidRequest'],
    [400, 'InvalidRequest'],
  ],
  [
    'an unsigned x-amz header',
    () => withHeader('x-amz-extra', '1', signed(assume, aliceKey)),
    denied,
    denied,
  ],
  [
    'AssumeRole without a signature',
    () => post(assume),
    [403, 'MissingAuthenticationToken'],
    invalid,
  ],
  // web identity, wrongly signed: a check that fails is never passed over
  [
    'web identity with a wrong signature',
    () => signed(webIdentity(), wrongSecret),
    mismatch,
    denied,
  ],
  // Deny statements
  ['a Deny on the action, by token', byToken({ policy: 'readonly,no-sts' }), denied, denied],
  ['a Deny on the action, by key', () => signed(assume, bobKey), denied, denied],
  // Version, form, action
  ['no version', raw(`Action=AssumeRole`), missing, missing],
  ['another version', raw('Action=AssumeRole&Version=2011-06-16'), missing, missing],
  ['a version of IAM', raw('Action=AssumeRole&Version=2010-05-08'), missing, missing],
  ['broken percent-encoding', raw('Action=%&Version=2011-06-15'), invalid, invalid],
  ['what is no UTF-8', raw('Action=%FF&Version=2011-06-15'), invalid, invalid],
  ['a doubled parameter', raw('Action=A&Action=A&Version=2011-06-15'), invalid, invalid],
  [
    'a parameter with one value in the query and another in the form',
    () => post(webIdentity(), { query: 'Action=AssumeRole' }),
    invalid,
    invalid,
  ],
  ['no action', raw('Version=2011-06-15'), [400, 'MissingAction'], invalid],
  [
    'an action that nobody knows',
    () => post({ Action: 'assumerole' }),
    [400, 'InvalidAction'],
    invalid,
  ],
  [
    'a handler name that is no action',
    () => get({ Action: 'AssumeRoleWithSSO' }),
    [400, 'InvalidAction'],
    invalid,
  ],
  [
    'a name that objects are born with',
    () => post({ Action: '__proto__' }),
    [400, 'InvalidAction'],
    invalid,
  ],
  [
    'a body that has not the announced hash',
    () => withHeader('x-amz-content-sha256', 'ab'.repeat(32), post(webIdentity())),
    invalid,
    invalid,
  ],
  [
    'too long a body',
    () => request({ body: stream('a'.repeat(65_537)) }),
    [413, 'RequestEntityTooLarge'],
    invalid,
  ],
  [
    'a body that does not come',
    () =>
      request({
        body: (async function* () {
          yield* stream('Action=')
          await new Promise<never>(() => undefined)
        })(),
      }),
    [408, 'RequestTimeout'],
    [408, 'RequestTimeout'],
  ],
  // Policy
  [
    'a policy that does not parse',
    wish({ Policy: '{' }),
    [400, 'MalformedPolicyDocument'],
    invalid,
  ],
  [
    'a policy with a statement that is not valid',
    wish({ Policy: policy({ Effect: 'Permit', Action: 's3:*', Resource: '*' }) }),
    [400, 'MalformedPolicyDocument'],
    invalid,
  ],
  ['too long a policy', wish({ Policy: longPolicy }), [400, 'PackedPolicyTooLarge'], invalid],
  [
    'managed session policies, which would be silently without effect',
    wish({ 'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/ReadOnlyAccess' }),
    invalid,
    invalid,
  ],
  // DurationSeconds
  ...['800', '43201', '31536001', '9s', '-900', '1e3', '900.0', ' 900', '99999999999'].map(
    (seconds): Case => [
      `a duration of "${seconds}"`,
      wish({ DurationSeconds: seconds }),
      invalid,
      invalid,
    ],
  ),
  [
    'a duration out of bounds, by key',
    () => signed({ ...assume, DurationSeconds: '899' }, aliceKey),
    invalid,
    invalid,
  ],
  ['a session name that AWS refuses', wish({ RoleSessionName: 'a/b' }), invalid, invalid],
  // RoleArn
  [
    'an unknown role ARN where no provider goes by claims',
    wish({ RoleArn: 'arn:aws:iam::123456789012:role/x' }),
    invalid,
    invalid,
    { claimProviders: false },
  ],
  // The token
  ...(
    [
      ['token_malformed', badToken],
      ['token_algorithm', badToken],
      ['token_signature', badToken],
      ['token_expired', expired],
      ['token_not_yet_valid', badToken],
      ['token_issuer', badToken],
      ['token_audience', badToken],
      ['token_claims', badToken],
      ['provider_unavailable', [400, 'IDPCommunicationError']],
      ['userinfo_rejected', [403, 'IDPRejectedClaim']],
      ['no_provider', badToken],
    ] as const
  ).map(([refuse, aws]): Case => [refuse, byToken({ refuse }), aws, invalid]),
  ['no token', () => post({ Action: 'AssumeRoleWithWebIdentity' }), missing, invalid],
  [
    'an empty token',
    () => post({ Action: 'AssumeRoleWithClientGrants', Token: '' }),
    missing,
    invalid,
  ],
  [
    'garbage for a token',
    () => post(webIdentity({}, { WebIdentityToken: 'x' })),
    badToken,
    invalid,
  ],
  [
    'a token that has expired by the time of the grant',
    byToken({ policy: 'readonly' }),
    expired,
    invalid,
    { clock: () => new Date('2023-11-14T22:13:20Z') },
  ],
  // The policy claim
  ['a token without policy claim', byToken({}), denied, invalid],
  ['a claim that names no existing policy', byToken({ policy: ['nosuch'] }), denied, invalid],
  // Storage and size
  [
    'an audit log that cannot be written',
    () => post(webIdentity()),
    [503, 'ServiceUnavailable'],
    [500, 'InternalError'],
    { auditFails: true },
  ],
  [
    'a session that does not fit a header',
    () => post(webIdentity()),
    [400, 'PackedPolicyTooLarge'],
    invalid,
    { tooLarge: true },
  ],
  // PolicyArns, tags
  [
    'session policies by name in another spelling, which would be silently without effect',
    wish({ 'PolicyArns.1.arn': 'arn:aws:iam::aws:policy/readonly' }),
    invalid,
    invalid,
  ],
  [
    'a tag without a key',
    () => signed({ ...assume, 'Tags.member.1.Value': 'x' }, aliceKey),
    invalid,
    invalid,
  ],
  ['tags without leave', () => signed({ ...assume, ...tag }, aliceKey), denied, denied],
  [
    'a tag of a namespace of ours',
    () => signed({ ...toRole, ...tag, 'Tags.member.1.Key': 'aws:username' }, aliceKey),
    invalid,
    invalid,
  ],
  // A role of the directory
  [
    'a role by a wrong ExternalId',
    () => signed({ ...toRole, ExternalId: 'wrong' }, aliceKey),
    denied,
    denied,
  ],
  [
    'an ExternalId that is none',
    () => signed({ ...toRole, ExternalId: 'a b' }, aliceKey),
    invalid,
    invalid,
  ],
  [
    'more time than the role has',
    () => signed({ ...toRole, DurationSeconds: '3601' }, aliceKey),
    invalid,
    invalid,
  ],
  // LDAP
  ...[
    {},
    { LDAPUsername: 'ann' },
    { LDAPPassword: 'x' },
    { LDAPUsername: 'ann', LDAPPassword: '' },
  ].map((fields): Case => [
    `a login with ${JSON.stringify(fields)}`,
    () => post({ Action: 'AssumeRoleWithLDAPIdentity', ...fields }),
    missing,
    missing,
  ]),
  ['a login that the directory refuses', login({ refuse: 'login_refused' }), denied, invalid],
  ['too many logins', login({ refuse: 'throttled' }), [429, 'Throttling'], [503, 'SlowDown']],
  [
    'a directory that is away',
    login({ refuse: 'provider_unavailable' }),
    [400, 'IDPCommunicationError'],
    invalid,
  ],
  ['a login to which nothing is attached', login({}, 'bob'), denied, invalid],
  [
    'a login where there is no directory',
    login({}),
    [400, 'InvalidAction'],
    invalid,
    { plain: true },
  ],
  [
    'a login with a policy that does not parse',
    () =>
      post({
        Action: 'AssumeRoleWithLDAPIdentity',
        LDAPUsername: 'ann',
        LDAPPassword: '{}',
        Policy: '{',
      }),
    [400, 'MalformedPolicyDocument'],
    invalid,
  ],
  // Certificate
  ['a certificate without TLS', () => certificate('host', { secure: false }), insecure, insecure],
  ['no certificate', () => certificate(undefined), missing, missing],
  [
    'a certificate that does not hold',
    () => certificate('bad'),
    [400, 'InvalidClientCertificate'],
    [400, 'InvalidClientCertificate'],
  ],
  [
    'a certificate from a proxy that proves nothing',
    () => certificate('forged'),
    [400, 'InvalidClientCertificate'],
    [400, 'InvalidClientCertificate'],
  ],
  ['a certificate without a rule', () => certificate('nobody'), denied, invalid],
  [
    'a certificate where none is asked for',
    () => certificate('host'),
    [400, 'InvalidAction'],
    [503, 'STSNotInitialized'],
    { plain: true },
  ],
  // Custom token
  [
    'a custom token without its role',
    () => post({ Action: 'AssumeRoleWithCustomToken', Token: '{}' }),
    missing,
    invalid,
  ],
  [
    'no custom token',
    () => post({ Action: 'AssumeRoleWithCustomToken', RoleArn: pluginArn }),
    missing,
    invalid,
  ],
  ['a custom token for an unknown role', custom({}, `${pluginArn}x`), invalid, invalid],
  [
    'a custom token that the plugin refuses',
    custom({ refuse: 'custom_token_refused' }),
    denied,
    [500, 'InternalError'],
  ],
  [
    'a custom token where there is no plugin',
    custom({}),
    [400, 'InvalidAction'],
    [503, 'STSNotInitialized'],
    { plain: true },
  ],
  // GetSessionToken, GetFederationToken, GetAccessKeyInfo
  ...['GetSessionToken', 'GetFederationToken'].flatMap((Action): Case[] => [
    [
      `${Action} by temporary credentials`,
      async (house) => signed({ Action, Name: 'bob' }, await sessionKey(house)),
      denied,
      denied,
    ],
    [
      `${Action} without a signature`,
      () => post({ Action, Name: 'bob' }),
      [403, 'MissingAuthenticationToken'],
      invalid,
    ],
    [
      `${Action} with a wrong secret`,
      () => signed({ Action, Name: 'bob' }, wrongSecret),
      mismatch,
      denied,
    ],
  ]),
  [
    'a Deny on GetSessionToken',
    () => signed({ Action: 'GetSessionToken' }, bobKey),
    denied,
    denied,
  ],
  [
    'a federation token without leave',
    () => signed({ Action: 'GetFederationToken', Name: 'bob' }, aliceKey),
    denied,
    denied,
  ],
  [
    'a federated user without a name',
    () => signed({ Action: 'GetFederationToken' }),
    missing,
    invalid,
  ],
  ...['a', 'a/b', 'x'.repeat(33)].map((Name): Case => [
    `a federated user called ${Name}`,
    () => signed({ Action: 'GetFederationToken', Name }),
    invalid,
    invalid,
  ]),
  [
    'a question about a key without leave',
    () => signed({ Action: 'GetAccessKeyInfo', AccessKeyId: 'ALICE' }, aliceKey),
    denied,
    denied,
  ],
  [
    'a question about no key',
    () => signed({ Action: 'GetAccessKeyInfo', AccessKeyId: 'a b' }),
    invalid,
    invalid,
  ],
  // DecodeAuthorizationMessage
  [
    'an encoded message that is none',
    () => signed({ Action: 'DecodeAuthorizationMessage', EncodedMessage: '!' }),
    [400, 'InvalidAuthorizationMessageException'],
    invalid,
  ],
  ['no encoded message', () => signed({ Action: 'DecodeAuthorizationMessage' }), missing, invalid],
  [
    'a caller who may not decode',
    () => signed({ Action: 'DecodeAuthorizationMessage', EncodedMessage: 'x' }, bobKey),
    denied,
    denied,
  ],
]

const presignedQuery =
  'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00&X-Amz-SignedHeaders=host&X-Amz-Expires=60'

for (const compat of ['aws', 'minio'] as const) {
  describe(`with the codes of ${compat}, the face refuses`, () => {
    for (const [what, send, aws, minio, options] of cases) {
      it(what, async () => {
        const house = openHouse({ compat, ...options })
        const call = await send(house)
        const issued = house.issued.length
        const response = await house.face.handle(call)
        const code = elementOf(response, 'Code') ?? ''
        assert.deepEqual([response.status, code], compat === 'aws' ? aws : minio)
        assert.ok(options?.auditFails || house.issued.length === issued)
        const type = response.status < 500 ? 'Sender' : 'Receiver'
        assert.equal(elementOf(response, 'Type'), compat === 'aws' ? type : '')
        assert.doesNotMatch(text(response), /<SecretAccessKey>|<SessionToken>/)
        assert.equal(response.headers['cache-control'], 'no-store')
        const throttled = code === 'Throttling' || code === 'SlowDown'
        const retry = throttled ? '17' : response.status === 503 ? '2' : undefined
        assert.equal(response.headers['retry-after'], retry)
      })
    }
  })
}

describe('the error document', () => {
  it('is this, byte for byte', async () => {
    const { face } = openHouse()
    const response = await face.handle(request({ text: 'Action=AssumeRole' }))
    assert.equal(
      text(response),
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>' +
        '<Code>MissingParameter</Code><Message>The parameter Version must be 2011-06-15</Message></Error>' +
        `<RequestId>${requestId}</RequestId></ErrorResponse>`,
    )
    assert.equal(response.headers['content-type'], 'application/xml')
    assert.equal(response.headers['content-length'], String(Buffer.byteLength(text(response))))
  })

  it('holds what the caller sent as text, never as markup', async () => {
    const { face } = openHouse()
    const response = await face.handle(post(webIdentity({ policy: '<b>&"' })))
    assert.match(text(response), /\\&#34;|&lt;b&gt;&amp;/)
    assert.doesNotMatch(text(response), /<b>/)
  })
})

describe('a refusal', () => {
  it('closes the connection when a rest of the body is on its way, else keeps it', async () => {
    const { face } = openHouse()
    const long = await face.handle(request({ body: stream('a'.repeat(65_537)) }))
    assert.equal(long.close, true)
    const short = await face.handle(request({ text: 'x' }))
    assert.equal(short.close, undefined)
  })

  it('of a wrong signature on AssumeRole is on record', async () => {
    const { face, events, observed } = openHouse()
    await face.handle(signed(assume, wrongSecret))
    assert.ok(events[0]?.outcome === 'refused' && events[0].code === 'caller_unproven')
    assert.deepEqual(events[0].proof, { kind: 'signature', accessKeyId: 'ALICE' })
    assert.equal(events[0].principal, undefined)
    assert.equal(observed[0]?.outcome, 'caller_unproven')
  })

  it('says nothing of a fault of ours but that there is one', async () => {
    const house = openHouse()
    const broken = Object.defineProperty(request({}), 'query', {
      get() {
        throw new Error('the password is hunter2')
      },
    })
    const response = await house.face.handle(broken)
    assert.equal(response.status, 500)
    assert.equal(elementOf(response, 'Code'), 'InternalFailure')
    assert.doesNotMatch(text(response), /hunter2/)
    assert.match(String(house.log[0]?.error), /hunter2/)
  })
})

describe('a role', () => {
  it('is not to be had through the claim-based provider, nor the other way round', async () => {
    const { face } = openHouse({ claimProviders: false })
    const plain = await face.handle(post(webIdentity()))
    assert.equal(elementOf(plain, 'Code'), 'InvalidParameterValue')
    const wrong = await face.handle(post(webIdentity(undefined, { RoleArn: `${roleArn}/..` })))
    assert.equal(elementOf(wrong, 'Code'), 'InvalidParameterValue')
  })
})
