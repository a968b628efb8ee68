/** `npm run tour`: the main job from the first start to an explained refusal, against a throw-away directory. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { run } from '../src/cli/index.ts'
import { serve } from '../src/main.ts'
import { signIn, startLocalIdp } from '../test/fakes/local-idp.ts'

const region = 'us-east-1'
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const indent = (text: string): string => text.replace(/^(?=.)/gm, '     ')

let steps = 0
function step(title: string, ...lines: readonly string[]): void {
  steps += 1
  say(`\n${String(steps).padStart(2)}. ${title}`)
  for (const line of lines) say(indent(line))
}

type Keys = Readonly<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>

/** Name, wire elements and body of what the server refused. */
type Refused = Error &
  Readonly<{ name: string; $response?: unknown }> &
  Readonly<Record<string, unknown>>

const dir = mkdtempSync(join(tmpdir(), 'daypass-tour-'))
const idp = await startLocalIdp({ accounts: { alice: { policy: 'reports', team: 'sales' } } })
const configFile = join(dir, 'daypass.yaml')
writeFileSync(
  configFile,
  `logLevel: warn
openid:
  - { name: local, configUrl: "${idp.configUrl}", clientId: daypass }
policies:
  reports:
    Version: "2012-10-17"
    Statement:
      - { Sid: Look, Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::reports" }
      - { Sid: OwnFolder, Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::reports/\${jwt:sub}/*" }
`,
)

say('Daypass, the tour: prove who you are, get S3 credentials, use them.')
const server = await serve({
  dir: join(dir, 'data'),
  address: '127.0.0.1:0',
  operationsAddress: '127.0.0.1:0',
  config: configFile,
  env: {},
})
try {
  await tour()
  say('\nThat was the whole job. Nothing of it is left on this machine.')
} finally {
  await server.close()
  await idp.close()
  rmSync(dir, { recursive: true })
}

async function tour(): Promise<void> {
  step(
    'A server starts in an empty directory',
    `endpoint     ${server.endpoint}`,
    `root key     ${server.root.accessKeyId}, made just now, kept with mode 0600`,
    `provider     ${idp.issuer}, with one policy claim`,
  )
  const root = s3({
    accessKeyId: server.root.accessKeyId,
    secretAccessKey: server.root.secretAccessKey.reveal(),
  })
  await root.send(new CreateBucketCommand({ Bucket: 'reports' }))
  step('The administrator makes a bucket', 'aws s3 mb s3://reports')

  const { idToken } = await signIn(idp.issuer, 'alice')
  step('Alice signs in at the OpenID provider', ...describeToken(idToken))

  const keys = await exchange(idToken)
  step('Her id token buys credentials that end by themselves', ...describe(keys))

  const alice = s3(keys)
  await alice.send(
    new PutObjectCommand({ Bucket: 'reports', Key: 'alice/q4.txt', Body: 'up 12 %' }),
  )
  step('She uploads into her own folder', 'aws s3 cp q4.txt s3://reports/alice/q4.txt    done')

  const listed = await alice.send(new ListObjectsV2Command({ Bucket: 'reports' }))
  const got = await alice.send(new GetObjectCommand({ Bucket: 'reports', Key: 'alice/q4.txt' }))
  step(
    'She lists and reads',
    ...(listed.Contents ?? []).map(({ Key, Size }) => `${Key}   ${Size} bytes`),
    `content: ${await got.Body?.transformToString()}`,
  )

  const refused = await refusalOf(
    alice.send(new PutObjectCommand({ Bucket: 'reports', Key: 'bob/q4.txt', Body: 'down' })),
  )
  step(
    "She tries Bob's folder and is refused, as the policy says",
    'aws s3 cp q4.txt s3://reports/bob/q4.txt',
    `${refused.name}: decision ${String(refused['DecisionId'])}`,
  )

  step('The administrator asks why: daypass explain <the encoded message of the refusal>')
  await explain(String(refused['EncodedAuthorizationMessage']))

  await run(
    ['admin', 'sessions', 'revoke', '--session', keys.accessKeyId],
    context(() => undefined),
  )
  const ended = await refusalOf(alice.send(new ListObjectsV2Command({ Bucket: 'reports' })))
  step(
    'The administrator ends her session; the next request knows',
    `${ended.name}: ${ended.message}`,
  )
}

function s3(credentials: Keys): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
  })
}

async function exchange(idToken: string): Promise<Keys & { expiration: Date | undefined }> {
  const sts = new STSClient({
    endpoint: server.endpoint,
    region,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  })
  const answer = await sts.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: 'arn:aws:iam::000000000000:role/by-claim',
      RoleSessionName: 'alice',
      WebIdentityToken: idToken,
      DurationSeconds: 900,
    }),
  )
  const {
    AccessKeyId = '',
    SecretAccessKey = '',
    SessionToken = '',
    Expiration,
  } = answer.Credentials ?? {}
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  }
}

function describeToken(idToken: string): readonly string[] {
  const claims = JSON.parse(
    Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8'),
  ) as Record<string, unknown>
  return ['iss', 'aud', 'sub', 'policy'].map((name) => `${name.padEnd(7)} ${String(claims[name])}`)
}

function describe(keys: Awaited<ReturnType<typeof exchange>>): readonly string[] {
  return [
    `access key     ${keys.accessKeyId}`,
    `secret         ${keys.secretAccessKey.slice(0, 4)}…  (this directory is thrown away)`,
    `session token  ${keys.sessionToken?.slice(0, 24)}…, ${keys.sessionToken?.length} characters, sealed`,
    `ends           ${keys.expiration?.toISOString()}`,
  ]
}

async function refusalOf(promise: Promise<unknown>): Promise<Refused> {
  return promise.then(
    () => {
      throw new Error('this should have been refused')
    },
    (error: unknown) => error as Refused,
  )
}

/** The command line, as the administrator would use it in a shell. */
async function explain(message: string): Promise<void> {
  let text = ''
  const code = await run(
    ['explain', message],
    context((part) => (text += part)),
  )
  if (code !== 0) throw new Error(`explain ended with ${code}`)
  say(indent(text.trimEnd()))
}

function context(writeOut: (text: string) => void): Parameters<typeof run>[1] {
  return {
    env: {
      DAYPASS_ENDPOINT: server.endpoint,
      DAYPASS_ACCESS_KEY: server.root.accessKeyId,
      DAYPASS_SECRET_KEY: server.root.secretAccessKey.reveal(),
    },
    stdin: process.stdin,
    isTerminal: false,
    writeOut,
    writeError: () => undefined,
    clock: () => new Date(),
  }
}
