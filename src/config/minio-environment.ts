import { isIdentityVariable, readMinioIdentities } from './minio-identities.ts'
import type { MinioIdentities } from './minio-identities.ts'
import type { Problem } from './problem.ts'

/** What the MinIO variables say, in the words of our own configuration file, to be checked by the same schema. */
export type MinioEnvironment = MinioIdentities &
  Readonly<{
    openid: readonly Record<string, unknown>[]
    region?: string
    domains?: readonly string[]
    fixedDurationSeconds?: number
    problems: readonly Problem[]
    /** Settings that are accepted but do nothing, or that deserve a word at start-up. */
    notices: readonly string[]
  }>

type Provider = Map<string, string>

const prefix = 'MINIO_IDENTITY_OPENID_'

/** Longest first, so that `CLAIM_USERINFO` is not read as key `CLAIM` with a suffix. */
const keys = [
  'REDIRECT_URI_DYNAMIC',
  'USER_READABLE_CLAIM',
  'KEYCLOAK_ADMIN_URL',
  'CLAIM_USERINFO',
  'KEYCLOAK_REALM',
  'CLIENT_SECRET',
  'USER_ID_CLAIM',
  'CLAIM_PREFIX',
  'DISPLAY_NAME',
  'REDIRECT_URI',
  'ROLE_POLICY',
  'CLAIM_NAME',
  'CONFIG_URL',
  'CLIENT_ID',
  'COMMENT',
  'ENABLE',
  'SCOPES',
  'VENDOR',
]

/** MinIO reads these for its console and its vendor checks; the exchange of tokens does not need them. */
const idle = new Set([
  'REDIRECT_URI_DYNAMIC',
  'USER_READABLE_CLAIM',
  'KEYCLOAK_ADMIN_URL',
  'KEYCLOAK_REALM',
  'CLIENT_SECRET',
  'USER_ID_CLAIM',
  'DISPLAY_NAME',
  'REDIRECT_URI',
  'COMMENT',
  'SCOPES',
  'VENDOR',
])

const elsewhere = new Set([
  'MINIO_ROOT_USER',
  'MINIO_ROOT_PASSWORD',
  'MINIO_ROOT_USER_FILE',
  'MINIO_ROOT_PASSWORD_FILE',
  'MINIO_REGION',
  'MINIO_SITE_REGION',
  'MINIO_DOMAIN',
  'MINIO_STS_DURATION',
])

export function readMinioEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): MinioEnvironment {
  const problems: Problem[] = []
  const notices: string[] = []
  const providers = new Map<string, Provider>()
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('MINIO_') || value === undefined || value === '') continue
    if (variable.startsWith(prefix)) collect(variable, value, providers, problems)
    else if (!elsewhere.has(variable) && !isIdentityVariable(variable, problems))
      notices.push(`${variable} is set, but Daypass does not use it`)
  }
  const openid = [...providers].flatMap(([suffix, provider]) =>
    translate(suffix, provider, problems, notices),
  )
  const region = env['MINIO_SITE_REGION'] || env['MINIO_REGION']
  const duration = env['MINIO_STS_DURATION']
  const fixedDurationSeconds = duration ? goDuration(duration, problems) : undefined
  return {
    ...readMinioIdentities(env, problems),
    openid,
    ...(region ? { region } : {}),
    ...(env['MINIO_DOMAIN'] ? { domains: list(env['MINIO_DOMAIN']) } : {}),
    ...(fixedDurationSeconds === undefined ? {} : { fixedDurationSeconds }),
    problems,
    notices,
  }
}

function collect(
  variable: string,
  value: string,
  providers: Map<string, Provider>,
  problems: Problem[],
): void {
  const rest = variable.slice(prefix.length)
  const key = keys.find((candidate) => rest === candidate || rest.startsWith(`${candidate}_`))
  if (key === undefined) {
    problems.push({ path: variable, message: 'is not a variable that is known' })
    return
  }
  const suffix = rest.slice(key.length + 1)
  const provider = providers.get(suffix) ?? new Map<string, string>()
  providers.set(suffix, provider.set(key, value))
}

function translate(
  suffix: string,
  provider: Provider,
  problems: Problem[],
  notices: string[],
): readonly Record<string, unknown>[] {
  const variable = (key: string): string => `${prefix}${key}${suffix && `_${suffix}`}`
  const enable = provider.get('ENABLE')
  if (enable !== undefined && !isBoolean(enable)) {
    problems.push({ path: variable('ENABLE'), message: 'is neither on nor off' })
  }
  if (enable !== undefined && !isTrue(enable)) return []
  for (const key of ['CONFIG_URL', 'CLIENT_ID']) {
    if (!provider.has(key)) problems.push({ path: variable(key), message: 'is missing' })
  }
  for (const key of provider.keys()) {
    if (idle.has(key))
      notices.push(`${variable(key)} is accepted and not needed to exchange tokens`)
  }
  const configUrl = provider.get('CONFIG_URL') ?? ''
  if (!provider.has('CONFIG_URL') || !provider.has('CLIENT_ID')) return []
  const plain = configUrl.startsWith('http://')
  const rolePolicy = provider.get('ROLE_POLICY')
  return [
    {
      name: suffix === '' ? 'default' : suffix.toLowerCase(),
      configUrl,
      clientId: provider.get('CLIENT_ID'),
      claimUserinfo: provider.get('CLAIM_USERINFO') === 'on',
      claimPrefix: provider.get('CLAIM_PREFIX') ?? '',
      ...claimName(provider, rolePolicy !== undefined),
      // MinIO does not trim here, so that `a, b` silently loses b.
      ...(rolePolicy === undefined ? {} : { rolePolicy: list(rolePolicy) }),
      ...(plain ? { insecureHttp: true } : {}),
    },
  ]
}

/** MinIO lets a role provider say `claim_name=policy`, its default. */
function claimName(provider: Provider, isRole: boolean): { claimName?: string } {
  const name = provider.get('CLAIM_NAME')
  if (name === undefined || (isRole && name === 'policy')) return {}
  return { claimName: name }
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

const yes = ['on', 'true', '1', 't', 'enabled']
const no = ['off', 'false', '0', 'f', 'disabled']
const isTrue = (word: string): boolean => yes.includes(word.toLowerCase())
const isBoolean = (word: string): boolean => [...yes, ...no].includes(word.toLowerCase())

const unitSeconds = new Map([
  ['h', 3600],
  ['m', 60],
  ['s', 1],
])

/** Go's duration syntax as far as whole seconds go: `3h`, `1h30m`, `90m`, `5400s`. */
function goDuration(text: string, problems: Problem[]): number | undefined {
  // As a whole first: digits without a unit would be looked through again from each of them.
  if (/^(?:\d+[hms])+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+)([hms])/g)]
    return parts.reduce(
      (sum, part) => sum + Number(part[1]) * (unitSeconds.get(part[2] ?? '') ?? 0),
      0,
    )
  }
  problems.push({ path: 'MINIO_STS_DURATION', message: 'is a duration such as 3h, 90m or 1h30m' })
  return undefined
}
