import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as Iam from '@aws-sdk/client-iam'
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { serve } from '../../src/main.ts'
import type { RunningServer } from '../../src/main.ts'

const cli = resolve(import.meta.dirname, '../../src/cli/daypass.ts')
const awsCli = '/usr/bin/aws'
const dir = mkdtempSync(join(tmpdir(), 'daypass-iam-'))
let server: RunningServer

before(async () => {
  const env = { DAYPASS_LOG_LEVEL: 'error' }
  const anywhere = '127.0.0.1:0'
  server = await serve({ dir, address: anywhere, operationsAddress: anywhere, env })
  await s3(rootKeys()).send(new CreateBucketCommand({ Bucket: 'data' }))
  await s3(rootKeys()).send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: 'x' }))
})

after(async () => {
  await server.close()
  rmSync(dir, { recursive: true })
})

type Keys = Readonly<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>

function rootKeys(): Keys {
  const { accessKeyId, secretAccessKey } = server.root
  return { accessKeyId, secretAccessKey: secretAccessKey.reveal() }
}

function settings(credentials: Keys) {
  return { endpoint: server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }
}

const iam = (keys = rootKeys()): Iam.IAMClient => new Iam.IAMClient(settings(keys))
const s3 = (keys: Keys): S3Client => new S3Client({ ...settings(keys), forcePathStyle: true })
const get = new GetObjectCommand({ Bucket: 'data', Key: 'k' })

const policy = (action: string | readonly string[], Resource = '*', Effect = 'Allow'): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect, Action: action, Resource }] })

const trust = (Principal: object): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }],
  })

const document = (encoded: string | undefined): unknown =>
  JSON.parse(decodeURIComponent(encoded ?? ''))

const is = (name: string) => ({ name })
const local = (name: string): string => `arn:aws:iam::000000000000:policy/${name}`

async function makeUser(UserName: string): Promise<Keys> {
  await iam().send(new Iam.CreateUserCommand({ UserName }))
  const made = await iam().send(new Iam.CreateAccessKeyCommand({ UserName }))
  const { AccessKeyId = '', SecretAccessKey = '' } = made.AccessKey ?? {}
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }
}

async function sessionOf(keys: Keys): Promise<Keys> {
  const sts = new STSClient(settings(keys))
  const RoleArn = 'arn:aws:iam::000000000000:role/any'
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'x1' }))
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}

describe('groups, by @aws-sdk/client-iam', () => {
  it('act at once in the live sessions of their members', async () => {
    const client = iam()
    const keys = await makeUser('g-ann')
    await client.send(new Iam.CreateGroupCommand({ GroupName: 'readers' }))
    const member = { GroupName: 'readers', UserName: 'g-ann' }
    await client.send(new Iam.AddUserToGroupCommand(member))
    await client.send(
      new Iam.PutUserPolicyCommand({
        UserName: 'g-ann',
        PolicyName: 'sts',
        PolicyDocument: policy('sts:*'),
      }),
    )
    const session = await sessionOf(keys)
    await assert.rejects(s3(session).send(get), is('AccessDenied'))
    const attach = { GroupName: 'readers', PolicyArn: 'arn:aws:iam::aws:policy/readonly' }
    await client.send(new Iam.AttachGroupPolicyCommand(attach))
    await s3(session).send(get)
    await s3(keys).send(get)
    const deny = policy('s3:*', '*', 'Deny')
    const inline = { GroupName: 'readers', PolicyName: 'no' }
    await client.send(new Iam.PutGroupPolicyCommand({ ...inline, PolicyDocument: deny }))
    await assert.rejects(s3(session).send(get), is('AccessDenied'))
    await client.send(new Iam.DeleteGroupPolicyCommand(inline))
    await s3(session).send(get)
    await client.send(new Iam.RemoveUserFromGroupCommand(member))
    await assert.rejects(s3(session).send(get), is('AccessDenied'))
    await assert.rejects(s3(keys).send(get), is('AccessDenied'))
  })

  it('are listed with their members, and not deleted while they have any', async () => {
    const client = iam()
    const GroupName = 'crowd'
    await client.send(new Iam.CreateGroupCommand({ GroupName }))
    await assert.rejects(
      client.send(new Iam.CreateGroupCommand({ GroupName })),
      is('EntityAlreadyExistsException'),
    )
    for (const UserName of ['c-1', 'c-2', 'c-3']) {
      await client.send(new Iam.CreateUserCommand({ UserName }))
      await client.send(new Iam.AddUserToGroupCommand({ GroupName, UserName }))
    }
    const seen: string[] = []
    for await (const page of Iam.paginateGetGroup({ client, pageSize: 2 }, { GroupName })) {
      assert.equal(page.Group?.GroupName, GroupName)
      for (const { UserName = '' } of page.Users ?? []) seen.push(UserName)
    }
    assert.deepEqual(seen, ['c-1', 'c-2', 'c-3'])
    const groups = await client.send(new Iam.ListGroupsForUserCommand({ UserName: 'c-1' }))
    assert.deepEqual(
      groups.Groups?.map((group) => [group.GroupName, group.GroupId?.slice(0, 4)]),
      [[GroupName, 'AGPA']],
    )
    await assert.rejects(
      client.send(new Iam.DeleteUserCommand({ UserName: 'c-1' })),
      is('DeleteConflictException'),
    )
    await assert.rejects(
      client.send(new Iam.DeleteGroupCommand({ GroupName })),
      is('DeleteConflictException'),
    )
    for (const UserName of seen) {
      await client.send(new Iam.RemoveUserFromGroupCommand({ GroupName, UserName }))
      await client.send(new Iam.DeleteUserCommand({ UserName }))
    }
    await client.send(new Iam.DeleteGroupCommand({ GroupName }))
    await assert.rejects(
      client.send(new Iam.GetGroupCommand({ GroupName })),
      is('NoSuchEntityException'),
    )
  })
})

describe('roles, as Terraform leads them', () => {
  const RoleName = 'tf-role'
  const AssumeRolePolicyDocument = trust({ AWS: 'arn:aws:iam::000000000000:user/tf' })

  it('are answered with every attribute that was written', async () => {
    const client = iam()
    await client.send(
      new Iam.CreatePolicyCommand({ PolicyName: 'tf-limit', PolicyDocument: policy('s3:*') }),
    )
    const wanted = {
      RoleName,
      AssumeRolePolicyDocument,
      Description: 'made by a program',
      MaxSessionDuration: 7200,
      PermissionsBoundary: local('tf-limit'),
      Tags: [
        { Key: 'env', Value: 'test' },
        { Key: 'empty', Value: '' },
      ],
      Path: '/',
    }
    await client.send(new Iam.CreateRoleCommand(wanted))
    const { Role } = await client.send(new Iam.GetRoleCommand({ RoleName }))
    assert.equal(Role?.Arn, `arn:aws:iam::000000000000:role/${RoleName}`)
    assert.match(Role?.RoleId ?? '', /^AROA[A-Z2-7]{16}$/)
    assert.deepEqual(document(Role?.AssumeRolePolicyDocument), JSON.parse(AssumeRolePolicyDocument))
    assert.equal(Role?.Description, wanted.Description)
    assert.equal(Role?.MaxSessionDuration, 7200)
    assert.deepEqual(Role?.PermissionsBoundary, {
      PermissionsBoundaryType: 'PermissionsBoundaryPolicy',
      PermissionsBoundaryArn: local('tf-limit'),
    })
    assert.deepEqual(
      Role?.Tags?.map(({ Key, Value }) => [Key, Value]),
      [
        ['empty', ''],
        ['env', 'test'],
      ],
    )
    const inline = await client.send(new Iam.ListRolePoliciesCommand({ RoleName }))
    assert.deepEqual(inline.PolicyNames, [])
    const attached = await client.send(new Iam.ListAttachedRolePoliciesCommand({ RoleName }))
    assert.deepEqual(attached.AttachedPolicies, [])
    const profiles = await client.send(new Iam.ListInstanceProfilesForRoleCommand({ RoleName }))
    assert.deepEqual(profiles.InstanceProfiles, [])
  })

  it('are changed in place, and keep the rest', async () => {
    const client = iam()
    const PolicyDocument = trust({ AWS: 'arn:aws:iam::000000000000:user/other' })
    await client.send(new Iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }))
    await client.send(new Iam.UpdateRoleCommand({ RoleName, MaxSessionDuration: 3600 }))
    await client.send(new Iam.UpdateRoleDescriptionCommand({ RoleName, Description: 'other' }))
    await client.send(new Iam.DeleteRolePermissionsBoundaryCommand({ RoleName }))
    const Tags = [{ Key: 'ENV', Value: 'prod' }]
    await client.send(new Iam.TagRoleCommand({ RoleName, Tags }))
    await client.send(new Iam.UntagRoleCommand({ RoleName, TagKeys: ['empty'] }))
    const listed = await client.send(new Iam.ListRoleTagsCommand({ RoleName }))
    assert.deepEqual(listed.Tags, Tags)
    const { Role } = await client.send(new Iam.GetRoleCommand({ RoleName }))
    assert.equal(Role?.Description, 'other')
    assert.equal(Role?.MaxSessionDuration, 3600)
    assert.equal(Role?.PermissionsBoundary, undefined)
    assert.deepEqual(document(Role?.AssumeRolePolicyDocument), JSON.parse(PolicyDocument))
  })

  it('are not deleted before everything is taken off', async () => {
    const client = iam()
    const PolicyName = 'inline'
    const PolicyDocument = policy('s3:GetObject')
    await client.send(new Iam.PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }))
    const PolicyArn = local('tf-limit')
    await client.send(new Iam.AttachRolePolicyCommand({ RoleName, PolicyArn }))
    const held = await client.send(new Iam.ListEntitiesForPolicyCommand({ PolicyArn }))
    assert.deepEqual(
      held.PolicyRoles?.map((role) => role.RoleName),
      [RoleName],
    )
    const found = await client.send(new Iam.GetRolePolicyCommand({ RoleName, PolicyName }))
    assert.deepEqual(document(found.PolicyDocument), JSON.parse(PolicyDocument))
    const remove = new Iam.DeleteRoleCommand({ RoleName })
    await assert.rejects(client.send(remove), is('DeleteConflictException'))
    await client.send(new Iam.DeleteRolePolicyCommand({ RoleName, PolicyName }))
    await assert.rejects(client.send(remove), is('DeleteConflictException'))
    await client.send(new Iam.DetachRolePolicyCommand({ RoleName, PolicyArn }))
    await client.send(remove)
    await assert.rejects(
      client.send(new Iam.GetRoleCommand({ RoleName })),
      is('NoSuchEntityException'),
    )
  })

  it('are refused when their trust policy is none, or when a service asks for one', async () => {
    const client = iam()
    for (const bad of ['{}', 'x', policy('s3:*')]) {
      await assert.rejects(
        client.send(new Iam.CreateRoleCommand({ RoleName: 'bad', AssumeRolePolicyDocument: bad })),
        is('MalformedPolicyDocumentException'),
      )
    }
    const long = { RoleName: 'bad', AssumeRolePolicyDocument, MaxSessionDuration: 43_201 }
    await assert.rejects(client.send(new Iam.CreateRoleCommand(long)), is('InvalidInputException'))
    await assert.rejects(
      client.send(new Iam.CreateServiceLinkedRoleCommand({ AWSServiceName: 'es.amazonaws.com' })),
      is('InvalidInputException'),
    )
  })
})

describe('managed policies and their versions', () => {
  it('act in the version that is the default', async () => {
    const client = iam()
    const keys = await makeUser('v-ann')
    const PolicyName = 'versioned'
    await client.send(
      new Iam.CreatePolicyCommand({
        PolicyName,
        PolicyDocument: policy('s3:GetObject'),
        Description: 'of two minds',
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
    )
    const PolicyArn = local(PolicyName)
    await client.send(new Iam.AttachUserPolicyCommand({ UserName: 'v-ann', PolicyArn }))
    await s3(keys).send(get)
    const other = { PolicyArn, PolicyDocument: policy('s3:PutObject') }
    await client.send(new Iam.CreatePolicyVersionCommand(other))
    await s3(keys).send(get)
    await client.send(new Iam.SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v2' }))
    await assert.rejects(s3(keys).send(get), is('AccessDenied'))
    for (let version = 3; version <= 5; version++) {
      await client.send(new Iam.CreatePolicyVersionCommand(other))
    }
    await assert.rejects(
      client.send(new Iam.CreatePolicyVersionCommand({ ...other, SetAsDefault: true })),
      is('LimitExceededException'),
    )
    const ids: string[] = []
    for await (const page of Iam.paginateListPolicyVersions(
      { client, pageSize: 2 },
      { PolicyArn },
    )) {
      for (const { VersionId = '', IsDefaultVersion } of page.Versions ?? []) {
        ids.push(IsDefaultVersion === true ? `${VersionId}!` : VersionId)
      }
    }
    assert.deepEqual(ids, ['v1', 'v2!', 'v3', 'v4', 'v5'])
    const found = await client.send(new Iam.GetPolicyCommand({ PolicyArn }))
    assert.equal(found.Policy?.Description, 'of two minds')
    assert.equal(found.Policy?.DefaultVersionId, 'v2')
    assert.deepEqual(found.Policy?.Tags, [{ Key: 'a', Value: 'b' }])
    await assert.rejects(
      client.send(new Iam.DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v2' })),
      is('DeleteConflictException'),
    )
  })
})

describe('OpenID Connect providers', () => {
  it('are kept with audiences, thumbprints and tags', async () => {
    const client = iam()
    const Url = 'https://token.example.org/tenant'
    const thumbprint = '0'.repeat(40)
    const made = await client.send(
      new Iam.CreateOpenIDConnectProviderCommand({
        Url,
        ClientIDList: ['sts.amazonaws.com'],
        ThumbprintList: [thumbprint],
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
    )
    const OpenIDConnectProviderArn = made.OpenIDConnectProviderArn ?? ''
    assert.equal(
      OpenIDConnectProviderArn,
      'arn:aws:iam::000000000000:oidc-provider/token.example.org/tenant',
    )
    const provider = { OpenIDConnectProviderArn }
    await client.send(
      new Iam.AddClientIDToOpenIDConnectProviderCommand({ ...provider, ClientID: 'app' }),
    )
    await client.send(
      new Iam.UpdateOpenIDConnectProviderThumbprintCommand({
        ...provider,
        ThumbprintList: ['f'.repeat(40)],
      }),
    )
    const found = await client.send(new Iam.GetOpenIDConnectProviderCommand(provider))
    assert.equal(found.Url, 'token.example.org/tenant')
    assert.deepEqual(found.ClientIDList, ['sts.amazonaws.com', 'app'])
    assert.deepEqual(found.ThumbprintList, ['f'.repeat(40)])
    assert.deepEqual(found.Tags, [{ Key: 'a', Value: 'b' }])
    await assert.rejects(
      client.send(new Iam.CreateOpenIDConnectProviderCommand({ Url })),
      is('EntityAlreadyExistsException'),
    )
    await assert.rejects(
      client.send(new Iam.CreateOpenIDConnectProviderCommand({ Url: 'http://plain.example.org' })),
      is('InvalidInputException'),
    )
    const list = await client.send(new Iam.ListOpenIDConnectProvidersCommand({}))
    assert.ok(list.OpenIDConnectProviderList?.some(({ Arn }) => Arn === OpenIDConnectProviderArn))
    await client.send(new Iam.DeleteOpenIDConnectProviderCommand(provider))
    await assert.rejects(
      client.send(new Iam.GetOpenIDConnectProviderCommand(provider)),
      is('NoSuchEntityException'),
    )
  })
})

describe('simulation', () => {
  it('answers as the gateway does', async () => {
    const client = iam()
    const keys = await makeUser('sim')
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/*' },
        { Sid: 'NoSecrets', Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::data/secret' },
      ],
    })
    const inline = { UserName: 'sim', PolicyName: 'p', PolicyDocument }
    await client.send(new Iam.PutUserPolicyCommand(inline))
    const simulated = await client.send(
      new Iam.SimulatePrincipalPolicyCommand({
        PolicySourceArn: 'arn:aws:iam::000000000000:user/sim',
        ActionNames: ['s3:GetObject', 's3:PutObject'],
        ResourceArns: ['arn:aws:s3:::data/k', 'arn:aws:s3:::data/secret'],
      }),
    )
    assert.deepEqual(
      simulated.EvaluationResults?.map((each) => [
        each.EvalActionName,
        each.EvalResourceName,
        each.EvalDecision,
      ]),
      [
        ['s3:GetObject', 'arn:aws:s3:::data/k', 'allowed'],
        ['s3:GetObject', 'arn:aws:s3:::data/secret', 'explicitDeny'],
        ['s3:PutObject', 'arn:aws:s3:::data/k', 'implicitDeny'],
        ['s3:PutObject', 'arn:aws:s3:::data/secret', 'explicitDeny'],
      ],
    )
    const [first] = simulated.EvaluationResults ?? []
    assert.equal(first?.MatchedStatements?.[0]?.SourcePolicyId, 'user sim: p')
    assert.equal(first?.MatchedStatements?.[0]?.SourcePolicyType, 'user')
    await s3(keys).send(get)
    await assert.rejects(
      s3(keys).send(new GetObjectCommand({ Bucket: 'data', Key: 'secret' })),
      is('AccessDenied'),
    )
  })

  it('supposes what it is told, and refuses what it does not know', async () => {
    const client = iam()
    const PolicyInputList = [
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 's3:GetObject',
            Resource: '*',
            Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } },
          },
        ],
      }),
    ]
    const question = { PolicyInputList, ActionNames: ['s3:GetObject'] }
    const from = async (address: string): Promise<string | undefined> => {
      const { EvaluationResults } = await client.send(
        new Iam.SimulateCustomPolicyCommand({
          ...question,
          ContextEntries: [
            {
              ContextKeyName: 'aws:SourceIp',
              ContextKeyType: 'ip',
              ContextKeyValues: [address],
            },
          ],
        }),
      )
      return EvaluationResults?.[0]?.EvalDecision
    }
    assert.equal(await from('192.0.2.9'), 'allowed')
    assert.equal(await from('198.51.100.9'), 'implicitDeny')
    const bare = await client.send(new Iam.SimulateCustomPolicyCommand(question))
    assert.equal(bare.EvaluationResults?.[0]?.EvalDecision, 'implicitDeny')
    await assert.rejects(
      client.send(
        new Iam.SimulateCustomPolicyCommand({
          ...question,
          ContextEntries: [
            { ContextKeyName: 'x:y', ContextKeyType: 'string', ContextKeyValues: ['z'] },
          ],
        }),
      ),
      /context key x:y/,
    )
  })
})

describe('permission to administrate', () => {
  it('goes as far as the policies say, and no further', async () => {
    const keys = await makeUser('boss')
    const own = iam(keys)
    await assert.rejects(own.send(new Iam.ListRolesCommand({})), is('AccessDenied'))
    const PolicyDocument = policy(
      ['iam:*Role*', 'iam:*Group*'],
      'arn:aws:iam::000000000000:role/team-*',
    )
    const inline = { UserName: 'boss', PolicyName: 'team', PolicyDocument }
    await iam().send(new Iam.PutUserPolicyCommand(inline))
    const AssumeRolePolicyDocument = trust({ AWS: '*' })
    const make = (RoleName: string) =>
      new Iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument })
    await own.send(make('team-a'))
    await assert.rejects(own.send(make('other')), is('AccessDenied'))
    await assert.rejects(
      own.send(new Iam.CreateGroupCommand({ GroupName: 'team-g' })),
      is('AccessDenied'),
    )
    await assert.rejects(
      own.send(new Iam.GetRoleCommand({ RoleName: 'unknown' })),
      is('AccessDenied'),
      'a stranger may not ask what exists',
    )
    const session = iam(await sessionOf(await withSts(keys, 'boss')))
    await session.send(new Iam.DeleteRoleCommand({ RoleName: 'team-a' }))
    await assert.rejects(session.send(make('other')), is('AccessDenied'))
  })

  async function withSts(keys: Keys, UserName: string): Promise<Keys> {
    const PolicyDocument = policy('sts:AssumeRole')
    await iam().send(new Iam.PutUserPolicyCommand({ UserName, PolicyName: 'sts', PolicyDocument }))
    return keys
  }
})

describe('the account', () => {
  it('is counted and told whole', async () => {
    const client = iam()
    await client.send(new Iam.CreateGroupCommand({ GroupName: 'counted' }))
    const { SummaryMap } = await client.send(new Iam.GetAccountSummaryCommand({}))
    assert.ok((SummaryMap?.Users ?? 0) > 0)
    assert.ok((SummaryMap?.Groups ?? 0) > 0)
    assert.equal(SummaryMap?.VersionsPerPolicyQuota, 5)
    const seen: string[] = []
    const pages = Iam.paginateGetAccountAuthorizationDetails({ client, pageSize: 3 }, {})
    for await (const page of pages) {
      for (const { UserName = '' } of page.UserDetailList ?? []) seen.push(`user ${UserName}`)
      for (const { GroupName = '' } of page.GroupDetailList ?? []) seen.push(`group ${GroupName}`)
      for (const { PolicyName = '' } of page.Policies ?? []) seen.push(`policy ${PolicyName}`)
    }
    assert.equal(new Set(seen).size, seen.length)
    assert.ok(seen.includes('user sim'))
    assert.ok(seen.includes('group counted'))
    assert.ok(seen.includes('policy readonly'))
  })

  it('has none of what AWS has besides, and says so', async () => {
    const client = iam()
    const UserName = 'sim'
    const devices = await client.send(new Iam.ListMFADevicesCommand({ UserName }))
    assert.deepEqual(devices.MFADevices, [])
    await assert.rejects(
      client.send(new Iam.GetLoginProfileCommand({ UserName })),
      is('NoSuchEntityException'),
    )
  })
})

type Ran = Readonly<{ code: number; out: string; error: string }>

/** Another program, and what came of it; never throws. */
function execute(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const { promise, resolve: ended } = Promise.withResolvers<Ran>()
  const options = { env: { PATH: process.env['PATH'], ...env }, timeout: 60_000 }
  execFile(program, [...args], options, (problem, out, error) => {
    const code = typeof problem?.code === 'number' ? problem.code : problem ? -1 : 0
    ended({ code, out, error })
  })
  return promise
}

describe('aws iam (Debian)', { skip: !existsSync(awsCli) && `${awsCli} is not installed` }, () => {
  const aws = async (...args: readonly string[]): Promise<string> => {
    const keys = rootKeys()
    const { out, error } = await execute(
      awsCli,
      ['--endpoint-url', server.endpoint, '--output', 'json', 'iam', ...args],
      {
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        HOME: dir,
      },
    )
    return out + error
  }

  it('makes roles, gives them policies and tags, and simulates', async () => {
    const role = ['--role-name', 'cli-role']
    const made = await aws(
      'create-role',
      ...role,
      '--assume-role-policy-document',
      trust({ AWS: '*' }),
      '--tags',
      'Key=a,Value=b',
    )
    assert.equal(JSON.parse(made).Role.RoleName, 'cli-role')
    const inline = [...role, '--policy-name', 'p']
    await aws('put-role-policy', ...inline, '--policy-document', policy('s3:GetObject'))
    const found = JSON.parse(await aws('get-role-policy', ...inline))
    assert.equal(found.PolicyDocument.Statement[0].Action, 's3:GetObject')
    const simulated = await aws(
      'simulate-principal-policy',
      '--policy-source-arn',
      'arn:aws:iam::000000000000:role/cli-role',
      '--action-names',
      's3:GetObject',
      's3:PutObject',
    )
    const decisions = JSON.parse(simulated).EvaluationResults.map(
      (each: { EvalDecision: string }) => each.EvalDecision,
    )
    assert.deepEqual(decisions, ['allowed', 'implicitDeny'])
    assert.match(await aws('delete-role', ...role), /DeleteConflict/)
  })

  it('makes groups, and reads the summary', async () => {
    const group = ['--group-name', 'cli-group']
    await aws('create-group', ...group)
    await aws('create-user', '--user-name', 'cli-user')
    await aws('add-user-to-group', ...group, '--user-name', 'cli-user')
    const found = JSON.parse(await aws('get-group', ...group))
    assert.equal(found.Users[0].UserName, 'cli-user')
    const { SummaryMap } = JSON.parse(await aws('get-account-summary'))
    assert.ok(SummaryMap.Groups > 0)
    assert.match(await aws('delete-user', '--user-name', 'cli-user'), /DeleteConflict/)
  })
})

describe('daypass admin', () => {
  const daypass = (...args: readonly string[]): Promise<Ran> =>
    execute(process.execPath, [cli, ...args], {
      DAYPASS_ENDPOINT: server.endpoint,
      DAYPASS_DIR: dir,
    })

  async function daypassJson(...args: readonly string[]) {
    const { code, out, error } = await daypass(...args, '--json')
    assert.equal(code, 0, error)
    return JSON.parse(out)
  }

  function file(name: string, text: string): string {
    const path = join(dir, name)
    writeFileSync(path, text)
    return path
  }

  it('leads groups, and says who can do what', async () => {
    await daypassJson('admin', 'user', 'add', 'd-ann')
    await daypassJson('admin', 'group', 'add', 'd-staff')
    await daypassJson('admin', 'group', 'join', 'd-staff', 'd-ann')
    const reader = file('reader.json', policy('s3:GetObject', 'arn:aws:s3:::d-bucket/*'))
    await daypassJson('admin', 'group', 'inline', 'put', 'd-staff', 'read', reader)
    const group = await daypassJson('admin', 'group', 'get', 'd-staff')
    assert.deepEqual(group.members, ['d-ann'])
    assert.deepEqual(group.inlinePolicies, ['read'])
    const whoCan = async (): Promise<readonly string[]> => {
      const can = await daypassJson('who-can', 's3:GetObject', 'arn:aws:s3:::d-bucket/k')
      return can.map(({ kind, name }: Record<string, string>) => `${kind} ${name}`)
    }
    const names = await whoCan()
    assert.ok(names.includes('user d-ann'), names.join())
    assert.ok(names.includes('group d-staff'))
    assert.deepEqual(await daypassJson('who-can', 's3:DeleteBucket', 'arn:aws:s3:::d-bucket'), [])
    const explained = await daypass(
      'explain',
      '--principal',
      'user/d-ann',
      '--action',
      's3:GetObject',
      '--resource',
      'arn:aws:s3:::d-bucket/k',
    )
    assert.match(explained.out, /^Allowed: .*group d-staff: read/)
    await daypassJson('admin', 'group', 'rm', 'd-staff')
    assert.ok(!(await whoCan()).some((name) => name.includes('d-')))
    await daypassJson('admin', 'user', 'rm', 'd-ann')
  })

  it('leads roles', async () => {
    const trusted = file('trust.json', trust({ AWS: '*' }))
    await daypassJson('admin', 'role', 'add', 'd-role', trusted, '--max-session', '7200')
    await daypassJson('admin', 'role', 'attach', 'd-role', 'readonly')
    await daypassJson('admin', 'role', 'tag', 'd-role', 'a=b', 'c=d=e')
    await daypassJson('admin', 'role', 'boundary', 'd-role', 'readwrite')
    const role = await daypassJson('admin', 'role', 'get', 'd-role')
    assert.deepEqual(role.policies, ['readonly'])
    assert.deepEqual(role.tags, { a: 'b', c: 'd=e' })
    assert.equal(role.boundary, 'arn:aws:iam::aws:policy/readwrite')
    assert.equal(role.maxSessionSeconds, 7200)
    await daypassJson('admin', 'role', 'trust', 'd-role', trusted)
    await daypassJson('admin', 'role', 'rm', 'd-role')
    assert.equal((await daypass('admin', 'role', 'get', 'd-role')).code, 1)
  })

  it('leads versions, and providers', async () => {
    const first = file('first.json', policy('s3:GetObject'))
    const second = file('second.json', policy('s3:PutObject'))
    await daypassJson('admin', 'policy', 'put', 'd-policy', first)
    await daypassJson('admin', 'policy', 'version', 'add', 'd-policy', second)
    await daypassJson('admin', 'policy', 'version', 'default', 'd-policy', 'v2')
    const versions = await daypassJson('admin', 'policy', 'version', 'ls', 'd-policy')
    assert.deepEqual(
      versions.map(({ version, isDefault }: { version: string; isDefault: boolean }) => [
        version,
        isDefault,
      ]),
      [
        ['v1', false],
        ['v2', true],
      ],
    )
    for (let turn = 0; turn < 5; turn++) {
      await daypassJson('admin', 'policy', 'put', 'd-policy', first)
    }
    await daypassJson('admin', 'policy', 'rm', 'd-policy')
    const url = 'https://login.example.net'
    await daypassJson('admin', 'provider', 'add', url, 'app', 'other')
    await daypassJson('admin', 'provider', 'remove-client', url, 'other')
    assert.deepEqual((await daypassJson('admin', 'provider', 'get', url)).clientIds, ['app'])
    await daypassJson('admin', 'provider', 'rm', url)
  })

  it('completes what there is', async () => {
    const { out } = await daypass('completion', 'bash')
    const script = file('completion.sh', out)
    const complete = async (...words: readonly string[]) => {
      const line = words.map((word) => `'${word}'`).join(' ')
      const ask = `source ${script}; COMP_WORDS=(${line}); COMP_CWORD=${words.length - 1}; _daypass; echo "\${COMPREPLY[@]}"`
      return (await execute('/bin/bash', ['-c', ask], {})).out.trim()
    }
    assert.equal(await complete('daypass', 'admin', 'role', 'tr'), 'trust')
    assert.equal(await complete('daypass', 'lint', '--kind', ''), 'identity session bucket trust')
    assert.equal(await complete('daypass', 'admin', 'user', 'attach', '--d'), '--dir')
    // Nothing of ours fits, so that the shell offers files.
    assert.equal(await complete('daypass', 'admin', 'policy', 'put', 'reports', ''), '')
    assert.equal((await daypass('completion', 'fish')).code, 2)
  })
})
