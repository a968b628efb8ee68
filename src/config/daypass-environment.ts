import { readFileSync } from 'node:fs'
import { Secret } from '../secret.ts'
import type { Problem } from './problem.ts'

export type DaypassEnvironment = Readonly<{
  settings: Readonly<Record<string, unknown>>
  root?: Readonly<{ accessKeyId: string; secretAccessKey: Secret }>
  problems: readonly Problem[]
  notices: readonly string[]
}>

type Environment = Readonly<Record<string, string | undefined>>

/** Variables that stand for a key of the configuration file; they beat the file. */
const settings = new Map([
  ['DAYPASS_ADDRESS', 'address'],
  ['DAYPASS_OPERATIONS_ADDRESS', 'operationsAddress'],
  ['DAYPASS_REGION', 'region'],
  ['DAYPASS_LOG_LEVEL', 'logLevel'],
])

/** Read elsewhere: the root key, the master key and shared keys below, the rest by the command line. */
const others = new Set([
  'DAYPASS_ROOT_USER',
  'DAYPASS_ROOT_USER_FILE',
  'DAYPASS_ROOT_PASSWORD',
  'DAYPASS_ROOT_PASSWORD_FILE',
  'DAYPASS_MASTER_KEY',
  'DAYPASS_MASTER_KEY_FILE',
  'DAYPASS_SHARED_SESSION_KEYS_DIR',
  'DAYPASS_TENANT_NAME',
  'DAYPASS_CONFIG',
  'DAYPASS_ENDPOINT',
  'DAYPASS_DIR',
  'DAYPASS_ACCESS_KEY',
  'DAYPASS_SECRET_KEY',
  'DAYPASS_SESSION_TOKEN',
])

export function readDaypassEnvironment(env: Environment): DaypassEnvironment {
  const problems: Problem[] = []
  const notices: string[] = []
  const found: Record<string, unknown> = {}
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('DAYPASS_') || value === undefined || value === '') continue
    const key = settings.get(variable)
    if (key !== undefined) found[key] = value
    else if (!others.has(variable)) {
      problems.push({ path: variable, message: 'is not a variable that is known' })
    }
  }
  const shared = readSharedKeys(env, problems)
  if (shared) found['sharedSessionKeys'] = shared
  const root = readRoot(env, problems, notices)
  return { settings: found, problems, notices, ...(root ? { root } : {}) }
}

/** Both variables together stand for the one setting. */
function readSharedKeys(
  env: Environment,
  problems: Problem[],
): Readonly<{ dir: string; tenantName: string }> | undefined {
  const { DAYPASS_SHARED_SESSION_KEYS_DIR: dir, DAYPASS_TENANT_NAME: tenantName } = env
  if (dir && tenantName) return { dir, tenantName }
  const missing = dir ? 'DAYPASS_TENANT_NAME' : 'DAYPASS_SHARED_SESSION_KEYS_DIR'
  const present = dir ? 'DAYPASS_SHARED_SESSION_KEYS_DIR' : 'DAYPASS_TENANT_NAME'
  if (dir || tenantName) problems.push({ path: missing, message: `is not set, but ${present} is` })
  return undefined
}

/** `DAYPASS_ROOT_USER` and `DAYPASS_ROOT_PASSWORD`, else MinIO's names; each may name a file instead (`…_FILE`). */
function readRoot(
  env: Environment,
  problems: Problem[],
  notices: string[],
): DaypassEnvironment['root'] {
  for (const family of ['DAYPASS', 'MINIO']) {
    const [userName, passwordName] = [`${family}_ROOT_USER`, `${family}_ROOT_PASSWORD`]
    const user = readValue(env, userName, problems)
    const password = readValue(env, passwordName, problems)
    if (user === undefined && password === undefined) continue
    for (const [name, value, other] of [
      [userName, user, passwordName],
      [passwordName, password, userName],
    ] as const) {
      if (value !== undefined || env[`${name}_FILE`]) continue
      problems.push({ path: name, message: `is not set, but ${other} is` })
    }
    if (user === undefined || password === undefined) return undefined
    if (user.length < 3 || user.startsWith('ASIA') || /[\s=,/]/.test(user)) {
      problems.push({
        path: userName,
        message:
          'has at least 3 characters, no space, =, comma or slash, and does not begin with ASIA',
      })
    }
    if (password.length < 8) {
      problems.push({ path: passwordName, message: 'has at least 8 characters' })
    }
    if (password === 'minioadmin') {
      notices.push(`${passwordName} is the one that everybody knows: change it`)
    }
    return { accessKeyId: user, secretAccessKey: new Secret(password) }
  }
  return undefined
}

function readValue(env: Environment, variable: string, problems: Problem[]): string | undefined {
  const value = env[variable]
  if (value !== undefined && value !== '') return value
  const file = env[`${variable}_FILE`]
  if (file === undefined || file === '') return undefined
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    problems.push({ path: `${variable}_FILE`, message: `names ${file}, which cannot be read` })
    return undefined
  }
}
