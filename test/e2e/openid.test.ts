import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import * as Iam from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand } from '@aws-sdk/client-sts'
import { signIn, startLocalIdp } from '../fakes/local-idp.ts'
import { createIssuerKey, signToken, startOidcIssuer } from '../fakes/oidc-issuer.ts'
import type { OidcIssuer } from '../fakes/oidc-issuer.ts'
import { cleanEnvironment, startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import {
  awsEnvironment,
  exchangeToken,
  refusalOf,
  region,
  s3Client,
  sessionKeys,
  stsClient,
} from './keys.ts'
import type { SessionKeys } from './keys.ts'

const run = promisify(execFile)
const cli = resolve(import.meta.dirname, '../../src/cli/daypass.ts')
const awsCli = '/usr/bin/aws'
const roleArn = (name: string): string => `arn:aws:iam::000000000000:role/${name}`
const hostOf = (url: string): string => url.replace(/^https?:\/\//, '')
const arnOf = (url: string): string => `arn:aws:iam::000000000000:oidc-provider/${hostOf(url)}`

/** Where there are roles for the people of providers that are made while the server runs. */
class Place {
  readonly server: DaypassServer
  readonly iam: Iam.IAMClient

  constructor(server: DaypassServer) {
    this.server = server
    const { endpoint, root } = server
    this.iam = new Iam.IAMClient({ endpoint, region, credentials: root, maxAttempts: 1 })
  }

  async makeProvider(Url: string, ...ClientIDList: string[]): Promise<string> {
    const made = await this.iam.send(
      new Iam.CreateOpenIDConnectProviderCommand({ Url, ClientIDList }),
    )
    assert.equal(made.OpenIDConnectProviderArn, arnOf(Url))
    return made.OpenIDConnectProviderArn
  }

  async deleteProvider(OpenIDConnectProviderArn: string): Promise<void> {
    await this.iam.send(new Iam.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))
  }

  async makeRole(RoleName: string, Federated: string, Condition?: object): Promise<string> {
    const statement = {
      Effect: 'Allow',
      Principal: { Federated },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition,
    }
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statement })
    await this.iam.send(new Iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
    const PolicyArn = 'arn:aws:iam::aws:policy/readonly'
    await this.iam.send(new Iam.AttachRolePolicyCommand({ RoleName, PolicyArn }))
    return roleArn(RoleName)
  }

  async take(RoleArn: string, WebIdentityToken: string): Promise<SessionKeys> {
    const answer = await stsClient(this.server.endpoint).send(
      new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'me', WebIdentityToken }),
    )
    return sessionKeys(answer.Credentials)
  }

  async codeOf(attempt: Promise<unknown>): Promise<string> {
    return (await refusalOf(attempt)).code.replace(/Exception$/, '')
  }

  reads(keys: SessionKeys): Promise<unknown> {
    return s3Client(this.server.endpoint, keys).send(
      new GetObjectCommand({ Bucket: 'data', Key: 'k' }),
    )
  }
}

async function openPlace(config: string): Promise<Place> {
  const server = await startDaypass({ config: `logLevel: error\n${config}` })
  const root = s3Client(server.endpoint, server.root)
  await root.send(new CreateBucketCommand({ Bucket: 'data' }))
  await root.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' }))
  return new Place(server)
}

describe('an OpenID provider made through the IAM API', () => {
  let idp: OidcIssuer
  let place: Place
  before(async () => {
    idp = await startOidcIssuer({ path: '/realms/main' })
    place = await openPlace(`
openid:
  - { name: sso, configUrl: "${idp.configUrl}", clientId: sso-client }
`)
  })
  after(() => Promise.all([place.server.stop(), idp.close()]))
  const forApp = (members: object = {}) => idp.token(idp.claims({ aud: 'app', ...members }))
  const forSso = (members: object = {}) => idp.token(idp.claims({ aud: 'sso-client', ...members }))

  it('lets its people take the roles that trust it, from the next token on until it is deleted', async () => {
    const role = await place.makeRole('deploy', arnOf(idp.issuer), {
      StringEquals: { [`${hostOf(idp.issuer)}:sub`]: 'alice' },
    })
    assert.equal(await place.codeOf(place.take(role, forApp())), 'InvalidIdentityToken')
    const arn = await place.makeProvider(idp.issuer, 'app')
    const keys = await place.take(role, forApp())
    await place.reads(keys)
    const put = new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' })
    assert.equal(
      await place.codeOf(s3Client(place.server.endpoint, keys).send(put)),
      'AccessDenied',
    )
    assert.equal(await place.codeOf(place.take(role, forApp({ sub: 'bob' }))), 'AccessDenied')
    assert.equal(await place.codeOf(place.take(role, forSso())), 'AccessDenied', 'another audience')

    await place.deleteProvider(arn)
    assert.equal(await place.codeOf(place.reads(keys)), 'ExpiredToken')
    assert.equal(await place.codeOf(place.take(role, forApp())), 'InvalidIdentityToken')
    await place.makeProvider(idp.issuer, 'app')
    assert.equal(await place.codeOf(place.reads(keys)), 'ExpiredToken', 'a new one is another one')
    await place.reads(await place.take(role, forApp()))
    await place.deleteProvider(arn)
  })

  it('takes with it the sessions that were made from its sessions', async () => {
    const arn = await place.makeProvider(idp.issuer, 'app')
    const first = await place.makeRole('first', arn)
    await place.iam.send(
      new Iam.PutRolePolicyCommand({
        RoleName: 'first',
        PolicyName: 'next',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' },
        }),
      }),
    )
    const trust = { Effect: 'Allow', Principal: { AWS: first }, Action: 'sts:AssumeRole' }
    await place.iam.send(
      new Iam.CreateRoleCommand({
        RoleName: 'second',
        AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: trust }),
      }),
    )
    const PolicyArn = 'arn:aws:iam::aws:policy/readonly'
    await place.iam.send(new Iam.AttachRolePolicyCommand({ RoleName: 'second', PolicyArn }))
    const sts = stsClient(place.server.endpoint, await place.take(first, forApp()))
    const chained = await sts.send(
      new AssumeRoleCommand({ RoleArn: roleArn('second'), RoleSessionName: 'me' }),
    )
    const keys = sessionKeys(chained.Credentials)
    await place.reads(keys)
    await place.deleteProvider(arn)
    assert.equal(await place.codeOf(place.reads(keys)), 'ExpiredToken')
  })

  it('stands beside a configured one of the same issuer, and neither gets the audience of the other', async () => {
    const arn = await place.makeProvider(idp.issuer, 'app')
    const [byArn, byName] = [
      await place.makeRole('by-arn', arn),
      await place.makeRole('by-name', 'sso'),
    ]
    await place.reads(await place.take(byArn, forApp()))
    await place.reads(await place.take(byName, forSso()))
    assert.equal(await place.codeOf(place.take(byArn, forSso())), 'AccessDenied')
    assert.equal(await place.codeOf(place.take(byName, forApp())), 'InvalidIdentityToken')
    const claim = { policy: 'readwrite' }
    await place.reads(await exchangeToken(place.server.endpoint, forSso(claim)))
    const byClaim = exchangeToken(place.server.endpoint, forApp(claim))
    assert.equal(await place.codeOf(byClaim), 'InvalidIdentityToken', 'never by a policy claim')
    const live = await place.take(byName, forSso())
    await place.deleteProvider(arn)
    await place.reads(live)
  })

  it('takes a client id away for the next token', async () => {
    const arn = await place.makeProvider(idp.issuer, 'app', 'cli')
    const role = await place.makeRole('clients', arn)
    const client = { OpenIDConnectProviderArn: arn, ClientID: 'app' }
    await place.take(role, forApp())
    await place.iam.send(new Iam.RemoveClientIDFromOpenIDConnectProviderCommand(client))
    assert.equal(await place.codeOf(place.take(role, forApp())), 'InvalidIdentityToken')
    await place.take(role, forApp({ aud: 'cli' }))
    await place.iam.send(
      new Iam.RemoveClientIDFromOpenIDConnectProviderCommand({ ...client, ClientID: 'cli' }),
    )
    for (const aud of ['app', 'cli', '', undefined, []]) {
      assert.equal(await place.codeOf(place.take(role, forApp({ aud }))), 'InvalidIdentityToken')
    }
    await place.iam.send(new Iam.AddClientIDToOpenIDConnectProviderCommand(client))
    await place.take(role, forApp())
    await place.deleteProvider(arn)
  })

  it('verifies by its own keys alone', async () => {
    const other = await startOidcIssuer({ key: createIssuerKey('RS256', idp.signingKey.kid) })
    const arns = [
      await place.makeProvider(idp.issuer, 'app'),
      await place.makeProvider(other.issuer, 'app'),
    ]
    const role = await place.makeRole('mine', arns[0] ?? '')
    const forged = signToken(idp.claims({ aud: 'app' }), other.signingKey)
    assert.equal(await place.codeOf(place.take(role, forged)), 'InvalidIdentityToken')
    const foreign = other.token(other.claims({ aud: 'app' }))
    assert.equal(await place.codeOf(place.take(role, foreign)), 'InvalidIdentityToken')
    for (const arn of arns) await place.deleteProvider(arn)
    await other.close()
  })

  it('shows how it stands, in the commands and in the metrics', async () => {
    const away = await startOidcIssuer()
    await away.goAway()
    const [arn, awayArn] = [
      await place.makeProvider(idp.issuer, 'app'),
      await place.makeProvider(away.issuer, 'app'),
    ]
    const unasked = await place.makeProvider('https://idp.invalid', 'app')
    await place.take(await place.makeRole('shown', arn), forApp())
    const role = await place.makeRole('shown-away', awayArn)
    const token = away.token(away.claims({ aud: 'app' }))
    assert.equal(await place.codeOf(place.take(role, token)), 'IDPCommunicationError')
    const { accessKeyId, secretAccessKey } = place.server.root
    const daypass = async (...words: string[]): Promise<string> => {
      const env = {
        ...cleanEnvironment(),
        DAYPASS_ENDPOINT: place.server.endpoint,
        DAYPASS_ACCESS_KEY: accessKeyId,
        DAYPASS_SECRET_KEY: secretAccessKey,
      }
      return (await run(process.execPath, [cli, 'admin', 'provider', ...words], { env })).stdout
    }
    const listed = JSON.parse(await daypass('ls', '--json')) as { arn: string; state: string }[]
    const states = new Map(listed.map((each) => [each.arn, each.state]))
    assert.equal(states.get(arn), 'ready')
    assert.equal(states.get(awayArn), 'away')
    assert.equal(states.get(unasked), 'unasked')
    assert.match(await daypass('get', away.issuer), /problem.*ECONNREFUSED/)
    const metrics = await (await fetch(`${place.server.operationsEndpoint}/metrics`)).text()
    assert.ok(metrics.includes(`daypass_provider_ready{provider="${arn}"} 1\n`))
    assert.ok(metrics.includes(`daypass_provider_ready{provider="${awayArn}"} 0\n`))
    assert.ok(!metrics.includes(unasked))
    assert.ok(metrics.includes('daypass_iam_providers 3\n'))
    for (const each of [arn, awayArn, unasked]) await place.deleteProvider(each)
    await away.close()
  })

  it(
    'works with the aws command line and a real OpenID provider',
    { skip: withoutAws() },
    async () => {
      const real = await startLocalIdp({ accounts: { alice: { team: 'blue' } } })
      const env = { ...cleanEnvironment(), ...awsEnvironment(place.server.root) }
      const aws = async (...words: string[]): Promise<Record<string, unknown>> => {
        const all = ['--endpoint-url', place.server.endpoint, '--output', 'json', ...words]
        const { stdout } = await run(awsCli, all, { env })
        return JSON.parse(stdout === '' ? '{}' : stdout) as Record<string, unknown>
      }
      const create = ['iam', 'create-open-id-connect-provider', '--url', real.issuer]
      const made = await aws(
        ...create,
        '--client-id-list',
        'daypass',
        '--thumbprint-list',
        '0'.repeat(40),
      )
      const arn = String(made['OpenIDConnectProviderArn'])
      assert.equal(arn, arnOf(real.issuer))
      const role = await place.makeRole('team', arn, {
        StringEquals: { [`${hostOf(real.issuer)}:team`]: 'blue' },
      })
      const take = async (login: string): Promise<unknown> => {
        const { idToken } = await signIn(real.issuer, login)
        const words = [
          '--role-arn',
          role,
          '--role-session-name',
          login,
          '--web-identity-token',
          idToken,
        ]
        return aws('sts', 'assume-role-with-web-identity', '--no-sign-request', ...words)
      }
      const taken = (await take('alice')) as {
        AssumedRoleUser?: { Arn?: string }
        Audience?: string
        SubjectFromWebIdentityToken?: string
      }
      assert.equal(taken.AssumedRoleUser?.Arn, 'arn:aws:sts::000000000000:assumed-role/team/alice')
      assert.equal(taken.SubjectFromWebIdentityToken, 'alice')
      await assert.rejects(take('bob'), /AccessDenied/)
      await aws('iam', 'delete-open-id-connect-provider', '--open-id-connect-provider-arn', arn)
      await assert.rejects(take('alice'), /InvalidIdentityToken/)
      await real.close()
    },
  )
})

describe('TLS to the providers of the IAM API', { skip: withoutOpenssl() }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-tls-'))
  after(() => rmSync(dir, { recursive: true }))

  it('is judged by the configured authorities, and by no thumbprint', async () => {
    for (const name of ['ours', 'other']) selfSigned(join(dir, name))
    const place = await openPlace(`iamProviders: { caFile: "${join(dir, 'ours.pem')}" }`)
    for (const name of ['ours', 'other']) {
      const idp = await startTlsIssuer(join(dir, name))
      const right = thumbprintOf(join(dir, `${name}.pem`))
      await place.iam.send(
        new Iam.CreateOpenIDConnectProviderCommand({
          Url: idp.issuer,
          ClientIDList: ['app'],
          ThumbprintList: [name === 'ours' ? '0'.repeat(40) : right],
        }),
      )
      const attempt = place.take(await place.makeRole(name, arnOf(idp.issuer)), idp.token)
      if (name === 'ours') await place.reads(await attempt)
      else assert.equal(await place.codeOf(attempt), 'IDPCommunicationError')
      idp.close()
    }
    await place.server.stop()
  })
})

describe('a token that is good for one exchange', () => {
  it('is good for one, also of many at once, and after a restart', async () => {
    const idp = await startOidcIssuer({ audience: 'app' })
    const dir = mkdtempSync(join(tmpdir(), 'daypass-once-'))
    const config = `logLevel: error\nopenid: [{ name: ci, configUrl: "${idp.configUrl}", clientId: app, oneTime: true }]`
    const token = (jti?: string) => idp.token(idp.claims({ policy: 'readonly', jti }))
    const first = await startDaypass({ dir, config })
    const used = token('a')
    await exchangeToken(first.endpoint, used)
    const replay = await refusalOf(exchangeToken(first.endpoint, used))
    assert.match(replay.message, /replayed/)
    assert.equal(replay.status, 400)
    const racing = token('b')
    const tries = Array.from({ length: 12 }, () => exchangeToken(first.endpoint, racing))
    const outcomes = await Promise.allSettled(tries)
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.match((await refusalOf(exchangeToken(first.endpoint, token()))).message, /oneTime/)
    await first.stop()

    const second = await startDaypass({ dir, config })
    for (const old of [used, racing]) {
      assert.match((await refusalOf(exchangeToken(second.endpoint, old))).message, /replayed/)
    }
    const refusedFirst = idp.token(idp.claims({ policy: 'nothing', jti: 'c' }))
    await refusalOf(exchangeToken(second.endpoint, refusedFirst))
    await second.stop()
    const audit = readdirSync(join(dir, 'audit')).map((name) =>
      readFileSync(join(dir, 'audit', name), 'utf8'),
    )
    const records = audit
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { code?: string })
    assert.equal(records.filter(({ code }) => code === 'token_replayed').length, 1 + 11 + 2)
    assert.ok(!audit.join('').includes(used))
    rmSync(dir, { recursive: true })
    await idp.close()
  })
})

describe('tokens as vendors make them', () => {
  it('of Keycloak and Entra ID go by roles, and say what to do where groups are missing', async () => {
    const idp = await startOidcIssuer({ audience: 'app' })
    const provider = (name: string, rest: string): string =>
      `  - { name: ${name}, configUrl: "${idp.configUrl}", clientId: ${name}, ${rest} }\n`
    const place = await openPlace(
      `openid:\n${provider('keycloak', 'claimName: realm_access.roles, claimPath: true')}` +
        provider('client', 'claimName: resource_access.my\\.app.roles, claimPath: true') +
        provider('entra', 'claimName: groups'),
    )
    const { endpoint } = place.server
    const token = (aud: string, members: object) => idp.token(idp.claims({ aud, ...members }))
    const roles = ['offline_access', 'readonly']
    await place.reads(await exchangeToken(endpoint, token('keycloak', { realm_access: { roles } })))
    const resource_access = { 'my.app': { roles } }
    await place.reads(await exchangeToken(endpoint, token('client', { resource_access })))
    await refusalOf(exchangeToken(endpoint, token('client', { realm_access: { roles } })))
    await place.reads(await exchangeToken(endpoint, token('entra', { groups: ['x', 'readonly'] })))
    for (const overage of [{ hasgroups: true }, { _claim_names: { groups: 'src1' } }]) {
      const refused = await refusalOf(exchangeToken(endpoint, token('entra', overage)))
      assert.equal(refused.status, 403)
      assert.match(refused.message, /"groups".*too many groups/)
    }
    const statement = (Effect: string, more: object): object => ({
      Effect,
      Principal: '*',
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::data/*',
      ...more,
    })
    const contractors = { Condition: { StringEquals: { 'jwt:groups': 'contractors' } } }
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: statement('Deny', contractors),
    })
    const root = s3Client(endpoint, place.server.root)
    await root.send(new PutBucketPolicyCommand({ Bucket: 'data', Policy }))
    const session = async (members: object): Promise<SessionKeys> =>
      exchangeToken(endpoint, token('client', { resource_access, ...members }))
    await place.reads(await session({ groups: ['staff'] }))
    const many = await session({ hasgroups: true })
    assert.equal(await place.codeOf(place.reads(many)), 'AccessDenied', 'slips no Deny')
    await place.server.stop()
    await idp.close()
  })
})

/** Discovery and keys over TLS, and a token that they verify. */
async function startTlsIssuer(path: string) {
  const signingKey = createIssuerKey()
  const tls = { key: readFileSync(`${path}.key`), cert: readFileSync(`${path}.pem`) }
  const server = createServer(tls, (request, response) => {
    const isKeys = request.url === '/jwks'
    const answer = isKeys ? { keys: [signingKey.jwk] } : { issuer, jwks_uri: `${issuer}/jwks` }
    response.end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const issuer = `https://127.0.0.1:${address.port}`
  const seconds = Math.floor(Date.now() / 1000)
  const claims = { iss: issuer, sub: 'alice', aud: 'app', iat: seconds, exp: seconds + 300 }
  return {
    issuer,
    token: signToken(claims, signingKey),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function thumbprintOf(certificate: string): string {
  const words = ['x509', '-in', certificate, '-noout', '-fingerprint', '-sha1']
  return openssl(...words)
    .toString()
    .trim()
    .replace(/^.*=/, '')
    .replaceAll(':', '')
}

function selfSigned(path: string): void {
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const out = ['-keyout', `${path}.key`, '-out', `${path}.pem`]
  openssl('req', '-x509', ...key, ...subject, ...out)
}

function openssl(...words: readonly string[]): Buffer {
  const command = 'openssl'
  return execFileSync(command, words, { stdio: ['ignore', 'pipe', 'ignore'] })
}

function withoutOpenssl(): string | false {
  try {
    openssl('version')
    return false
  } catch {
    return 'the openssl command is not installed: no certificate to test with'
  }
}

function withoutAws(): string | false {
  return existsSync(awsCli) ? false : 'the aws command is not installed'
}
