import type { Secret } from '../secret.ts'

/** What a started server says of itself, as far as people want to read it. `RunningServer` fits it. */
export type Welcome = Readonly<{
  endpoint: string
  operationsEndpoint: string
  region: string
  root: Readonly<{
    accessKeyId: string
    secretAccessKey: Secret
    path?: string
    /** Made at this very start: the one time that the secret is shown. */
    created: boolean
  }>
  masterKeyPath?: string
  notices: readonly string[]
  providers: readonly WelcomeProvider[]
}>

/** `clientId` with OpenID alone, `roleArn` where its people are told by it. */
export type WelcomeProvider = Readonly<{
  kind: 'openid' | 'ldap' | 'certificates' | 'plugin'
  name: string
  clientId?: string
  roleArn?: string
}>

/** The words at start-up: where it listens, where the root key is, and three lines to paste that do the main job. */
export function welcomeText(server: Welcome): string {
  const { providers } = server
  const openId = providers.find(({ kind }) => kind === 'openid')
  return [
    'Daypass is serving.',
    '',
    `  S3, STS, IAM   ${server.endpoint}`,
    `  operations     ${server.operationsEndpoint}  (/metrics, /live, /ready)`,
    ...rootLines(server),
    ...(server.masterKeyPath === undefined
      ? []
      : [`  master key     ${server.masterKeyPath}  (back it up: it seals every stored secret)`]),
    ...providers.map(providerLine),
    ...server.notices.map((notice) => `  note           ${notice}`),
    '',
    'Try it in another terminal:',
    '',
    ...(openId ? webIdentityLines(server, openId.roleArn) : rootKeyLines(server)),
    '',
  ].join('\n')
}

const kinds = {
  openid: 'OpenID',
  ldap: 'directory',
  certificates: 'certificates',
  plugin: 'plugin',
}

function providerLine({ kind, name, clientId, roleArn }: WelcomeProvider): string {
  const client = clientId === undefined ? '' : `, client ${clientId}`
  const role = roleArn === undefined ? '' : `, role ${roleArn}`
  return `  ${kinds[kind].padEnd(13)}  ${name}${client}${role}`
}

function rootLines({ root }: Welcome): readonly string[] {
  const { accessKeyId, path } = root
  if (path === undefined) return [`  root key       ${accessKeyId}  (from the environment)`]
  const where = [`  root key       ${accessKeyId}, kept in ${path}`]
  if (!root.created) return where
  return [...where, `  root secret    ${root.secretAccessKey.reveal()}  (shown this once)`]
}

const toExports =
  '{ read a s t; echo AWS_ACCESS_KEY_ID=$a AWS_SECRET_ACCESS_KEY=$s AWS_SESSION_TOKEN=$t; }'

/** Without a provider: the root key buys a session of its own. */
function rootKeyLines({ endpoint, region, root }: Welcome): readonly string[] {
  const aws = `aws --endpoint-url ${endpoint}`
  const key =
    root.path === undefined
      ? `AWS_ACCESS_KEY_ID=${root.accessKeyId} AWS_SECRET_ACCESS_KEY=…`
      : `$(sed -nE 's/.*"accessKeyId": "(.*)".*/AWS_ACCESS_KEY_ID=\\1/p; s/.*"secretAccessKey": "(.*)".*/AWS_SECRET_ACCESS_KEY=\\1/p' ${quote(root.path)})`
  return [
    `  export AWS_DEFAULT_REGION=${region} ${key}`,
    `  export $(${aws} sts assume-role --role-arn arn:aws:iam::000000000000:role/root --role-session-name me --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text | ${toExports})`,
    `  ${aws} s3 mb s3://first && echo hello | ${aws} s3 cp - s3://first/hello.txt && ${aws} s3 ls s3://first`,
  ]
}

/** With a provider: an id token in a file is all that is needed. */
function webIdentityLines(
  { endpoint, region }: Welcome,
  roleArn: string | undefined,
): readonly string[] {
  const role = roleArn === undefined ? '' : ` -d RoleArn=${roleArn}`
  const values = ['AccessKeyId', 'SecretAccessKey', 'SessionToken']
    .map((name) => `s/.*<${name}>(.*)<\\/${name}>.*/\\1/`)
    .map((script) => `$(sed -nE '${script}p' answer.xml)`)
  return [
    `  curl -sS ${endpoint}/ -d Version=2011-06-15 -d Action=AssumeRoleWithWebIdentity${role} --data-urlencode WebIdentityToken@id-token.jwt -o answer.xml`,
    `  export AWS_ACCESS_KEY_ID=${values[0]} AWS_SECRET_ACCESS_KEY=${values[1]} AWS_SESSION_TOKEN=${values[2]} AWS_DEFAULT_REGION=${region}`,
    `  aws --endpoint-url ${endpoint} s3 ls`,
  ]
}

function quote(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
