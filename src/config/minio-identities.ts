import type { Problem } from './problem.ts'

/** What MinIO's LDAP, TLS and plugin variables say, in the words of our own configuration file. */
export type MinioIdentities = Readonly<{
  ldap: readonly Record<string, unknown>[]
  certificates?: Record<string, unknown>
  customTokens: readonly Record<string, unknown>[]
}>

type Environment = Readonly<Record<string, string | undefined>>

const ldapPrefix = 'MINIO_IDENTITY_LDAP_'
const tlsPrefix = 'MINIO_IDENTITY_TLS_'
const pluginPrefix = 'MINIO_IDENTITY_PLUGIN_'

const known: Readonly<Record<string, readonly string[]>> = {
  [ldapPrefix]: [
    'ENABLE',
    'SERVER_ADDR',
    'SRV_RECORD_NAME',
    'LOOKUP_BIND_DN',
    'LOOKUP_BIND_PASSWORD',
    'USER_DN_SEARCH_BASE_DN',
    'USER_DN_SEARCH_FILTER',
    'USER_DN_ATTRIBUTES',
    'GROUP_SEARCH_BASE_DN',
    'GROUP_SEARCH_FILTER',
    'TLS_SKIP_VERIFY',
    'SERVER_INSECURE',
    'SERVER_STARTTLS',
    'COMMENT',
  ],
  [tlsPrefix]: ['ENABLE', 'SKIP_VERIFY', 'COMMENT'],
  [pluginPrefix]: ['URL', 'AUTH_TOKEN', 'ROLE_POLICY', 'ROLE_ID', 'ENABLE', 'COMMENT'],
}

/** Whether the variable belongs to one of these three; an unknown one among them is a problem, as at MinIO. */
export function isIdentityVariable(variable: string, problems: Problem[]): boolean {
  const prefix = Object.keys(known).find((candidate) => variable.startsWith(candidate))
  if (prefix === undefined) return false
  if (!known[prefix]?.includes(variable.slice(prefix.length))) {
    problems.push({ path: variable, message: 'is not a variable that is known' })
  }
  return true
}

export function readMinioIdentities(env: Environment, problems: Problem[]): MinioIdentities {
  for (const variable of flags) checkFlag(variable, env[variable], problems)
  const certificates = readTls(env)
  return {
    ldap: readLdap(env, problems),
    customTokens: readPlugin(env, problems),
    ...(certificates ? { certificates } : {}),
  }
}

function readLdap(env: Environment, problems: Problem[]): Record<string, unknown>[] {
  const read = (key: string): string | undefined => env[`${ldapPrefix}${key}`] || undefined
  const address = read('SERVER_ADDR')
  if (address === undefined || isOff(read('ENABLE'))) return []
  for (const key of ['LOOKUP_BIND_DN', 'USER_DN_SEARCH_BASE_DN', 'USER_DN_SEARCH_FILTER']) {
    if (read(key) === undefined) problems.push({ path: ldapPrefix + key, message: 'is missing' })
  }
  const flags = {
    startTls: isOn(read('SERVER_STARTTLS')),
    insecurePlain: isOn(read('SERVER_INSECURE')),
    insecureSkipVerify: isOn(read('TLS_SKIP_VERIFY')),
  }
  const password = `${ldapPrefix}LOOKUP_BIND_PASSWORD`
  return [
    {
      name: 'ldap',
      ...whereIs(address, read('SRV_RECORD_NAME')),
      ...flags,
      lookupBindDn: read('LOOKUP_BIND_DN'),
      ...(env[password] ? { lookupBindPassword: { env: password } } : {}),
      userBaseDns: list(read('USER_DN_SEARCH_BASE_DN'), ';'),
      userFilter: read('USER_DN_SEARCH_FILTER'),
      userAttributes: list(read('USER_DN_ATTRIBUTES'), ','),
      groupBaseDns: list(read('GROUP_SEARCH_BASE_DN'), ';'),
      ...(read('GROUP_SEARCH_FILTER') ? { groupFilter: read('GROUP_SEARCH_FILTER') } : {}),
    },
  ]
}

/** MinIO's port is 636 in every mode, whatever the protocol. */
function whereIs(address: string, srv: string | undefined): Record<string, unknown> {
  if (srv === 'on') return { srvRecord: address }
  if (srv !== undefined) return { srvRecord: `_${srv}._tcp.${address}` }
  return { servers: [/:\d+$/.test(address) ? address : `${address}:636`] }
}

function readTls(env: Environment): Record<string, unknown> | undefined {
  if (!isOn(env[`${tlsPrefix}ENABLE`])) return undefined
  const insecureSkipVerify = isOn(env[`${tlsPrefix}SKIP_VERIFY`])
  // MinIO trusts the system's authorities for clients; here they are named, in `certificates.caFiles`.
  return { rules: [{ policyFrom: 'cn' }], insecureSkipVerify }
}

function readPlugin(env: Environment, problems: Problem[]): Record<string, unknown>[] {
  const read = (key: string): string | undefined => env[`${pluginPrefix}${key}`] || undefined
  const url = read('URL')
  if (url === undefined || isOff(read('ENABLE'))) return []
  const rolePolicy = list(read('ROLE_POLICY'), ',')
  if (rolePolicy.length === 0)
    problems.push({ path: `${pluginPrefix}ROLE_POLICY`, message: 'is missing' })
  return [
    {
      url,
      rolePolicy,
      ...(read('ROLE_ID') ? { roleId: read('ROLE_ID') } : {}),
      ...(read('AUTH_TOKEN') ? { authToken: { env: `${pluginPrefix}AUTH_TOKEN` } } : {}),
      ...(url.startsWith('http://') ? { insecureHttp: true } : {}),
    },
  ]
}

function list(text: string | undefined, separator: string): string[] {
  return (text ?? '')
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

const flags = [
  `${ldapPrefix}ENABLE`,
  `${ldapPrefix}SERVER_STARTTLS`,
  `${ldapPrefix}SERVER_INSECURE`,
  `${ldapPrefix}TLS_SKIP_VERIFY`,
  `${tlsPrefix}ENABLE`,
  `${tlsPrefix}SKIP_VERIFY`,
  `${pluginPrefix}ENABLE`,
]

/** `no` would leave on what is on unless it is turned off, and `yes` would leave off the rest, without a word. */
function checkFlag(variable: string, word: string | undefined, problems: Problem[]): void {
  if (word === undefined || word === '' || isOn(word) || isOff(word)) return
  problems.push({ path: variable, message: `is neither on nor off: ${JSON.stringify(word)}` })
}

const yes = new Set(['on', 'true', '1', 't', 'enabled'])
const no = new Set(['off', 'false', '0', 'f', 'disabled'])
const isOn = (word: string | undefined): boolean => yes.has((word ?? '').toLowerCase())
const isOff = (word: string | undefined): boolean => no.has((word ?? '').toLowerCase())
