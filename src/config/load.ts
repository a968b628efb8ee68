import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import type { Document } from 'yaml'
import type { z } from 'zod'
import type { Overlay } from '../admin/index.ts'
import type { Secret } from '../secret.ts'
import { readDaypassEnvironment } from './daypass-environment.ts'
import { readMinioEnvironment } from './minio-environment.ts'
import type { MinioEnvironment } from './minio-environment.ts'
import { readIdentities } from './identities.ts'
import type { Identities } from './identities.ts'
import { readJson } from './read-json.ts'
import { readOverlay } from './overlay.ts'
import { ConfigError } from './problem.ts'
import type { Problem } from './problem.ts'
import { configSchema } from './schema.ts'
import type { ConfigFile } from './schema.ts'
import { checkWhole } from './whole.ts'

export type RootKey = Readonly<{ accessKeyId: string; secretAccessKey: Secret }>

export type Config = Readonly<
  Omit<ConfigFile, 'policies' | 'users' | 'roles' | 'groups' | keyof Identities> &
    Identities & {
      overlay: Overlay
      /** From the environment; absent: made at first start and kept in the data directory. */
      root?: RootKey
      /** To be said at start-up. */
      notices: readonly string[]
    }
>

export type ConfigSource = Readonly<{
  env: Readonly<Record<string, string | undefined>>
  /** Path of the YAML file. */
  file?: string
  /** From the command line: beats file and environment. */
  overrides?: Readonly<{ address?: string; operationsAddress?: string }>
}>

/** @throws ConfigError with every problem that was found, each with its path. */
export function loadConfig(source: ConfigSource): Config {
  const problems: Problem[] = []
  const minio = readMinioEnvironment(source.env)
  const own = readDaypassEnvironment(source.env)
  problems.push(...minio.problems, ...own.problems)
  const document = source.file === undefined ? {} : readSettings(source.file, problems)
  const merged = { ...merge(document, minio), ...own.settings, ...defined(source.overrides ?? {}) }
  const parsed = parse(merged, problems)
  const base = source.file === undefined ? process.cwd() : dirname(resolve(source.file))
  const place = { base, env: source.env }
  const overlay = readOverlay(parsed, place, problems)
  const identities = readIdentities(parsed, place, problems)
  const notices = [...minio.notices, ...own.notices, ...checkWhole(parsed, problems)]
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze({
    ...plainSettings(withPaths(parsed, base)),
    ...identities,
    overlay,
    notices,
    ...(own.root ? { root: own.root } : {}),
  })
}

/** Whatever is wrong is noted and left out, so that the checks that follow find the rest of the problems too. */
function parse(merged: Record<string, unknown>, problems: Problem[]): ConfigFile {
  const parsed = configSchema.safeParse(merged)
  if (parsed.success) return parsed.data
  const wrong = new Set<PropertyKey>()
  for (const issue of parsed.error.issues) {
    problems.push({ path: issue.path.map(String).join('.'), message: messageOf(issue) })
    const [key] = issue.path
    if (key !== undefined) wrong.add(key)
    else if (issue.code === 'unrecognized_keys') for (const name of issue.keys) wrong.add(name)
  }
  const sound = Object.entries(merged).filter(([name]) => !wrong.has(name))
  const rest = configSchema.safeParse(Object.fromEntries(sound))
  if (rest.success) return rest.data
  throw new ConfigError(problems)
}

type Elsewhere = 'policies' | 'users' | 'roles' | 'groups' | keyof Identities

/** What is used as it stands in the file. */
function plainSettings(config: ConfigFile): Omit<ConfigFile, Elsewhere> {
  const { policies: _1, users: _2, roles: _3, groups: _4, ...rest } = config
  const { ldap: _5, certificates: _6, customTokens: _7, ...settings } = rest
  return settings
}

export function messageOf(issue: z.core.$ZodIssue): string {
  const isMissing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
  return isMissing ? 'is missing' : issue.message
}

/** Files are named relative to the configuration file, whatever the working directory is. */
function withPaths(config: ConfigFile, base: string): ConfigFile {
  const { tls, openid, iamProviders, sharedSessionKeys: shared } = config
  return {
    ...config,
    ...(tls
      ? { tls: { certFile: resolve(base, tls.certFile), keyFile: resolve(base, tls.keyFile) } }
      : {}),
    ...(shared && { sharedSessionKeys: { ...shared, dir: resolve(base, shared.dir) } }),
    iamProviders:
      iamProviders.caFile === undefined ? {} : { caFile: resolve(base, iamProviders.caFile) },
    openid: openid.map((provider) =>
      provider.caFile === undefined
        ? provider
        : { ...provider, caFile: resolve(base, provider.caFile) },
    ),
  }
}

/** The settings in a file of YAML or JSON. @throws ConfigError when they cannot be read */
export function readSettings(file: string, problems: Problem[]): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError([{ path: file, message: `cannot be read (${codeOf(error)})` }])
  }
  return readJson(text) ?? parseYaml(text, file, problems)
}

type Yaml = typeof import('yaml')

const mostFaults = 20
const nestsTooDeeply = /(?:[[{]\s*){100}|(?:- ){100}/

/** Seventy files that take 40 ms to load, which a start without a configuration in YAML need not wait for. */
function loadYaml(): Yaml {
  return createRequire(import.meta.url)('yaml') as Yaml // oxlint-disable-line typescript/no-unsafe-type-assertion -- the package of that name
}

function parseYaml(text: string, file: string, problems: Problem[]): Record<string, unknown> {
  // The library reads what nests by calling itself, and takes minutes over what nobody writes.
  if (nestsTooDeeply.test(text)) {
    throw new ConfigError([{ path: file, message: 'nests more than a hundred levels deep' }])
  }
  const yaml = loadYaml()
  // The library's own search for doubled keys takes quadratic time.
  const lines = new yaml.LineCounter()
  const options = { prettyErrors: false, uniqueKeys: false, lineCounter: lines }
  const document = yaml.parseDocument(text, options)
  const { errors } = document
  // A file that is no YAML at all has an error in each of its lines.
  const faults = errors.slice(0, mostFaults).map(({ message, pos: [at] }) => {
    const { line, col } = lines.linePos(at)
    return `line ${line}, column ${col}: ${message}`
  })
  if (errors.length > mostFaults) faults.push(`and ${errors.length - mostFaults} more errors`)
  const broken = [...faults, ...doubledKeys(document, yaml)]
  problems.push(...broken.map((message) => ({ path: file, message })))
  if (broken.length > 0) throw new ConfigError(problems)
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {}
  if (isMapping(value)) return value
  throw new ConfigError([{ path: file, message: 'is not a mapping of settings' }])
}

function doubledKeys(document: Document.Parsed, { visit }: Yaml): readonly string[] {
  const doubled: string[] = []
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>()
      for (const { key } of items) {
        const name = String(key)
        if (seen.has(name)) doubled.push(`the key "${name}" stands twice in one mapping`)
        seen.add(name)
      }
    },
  })
  return doubled
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function merge(
  document: Record<string, unknown>,
  minio: MinioEnvironment,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...document }
  if (minio.region !== undefined) merged['region'] ??= minio.region
  if (minio.domains !== undefined) merged['domains'] ??= minio.domains
  if (minio.fixedDurationSeconds !== undefined) {
    const sts = isMapping(merged['sts']) ? merged['sts'] : {}
    const { fixedDurationSeconds } = minio
    // MinIO knows no lower ceiling: a duration that worked there must not be refused here.
    const maxDurationSeconds = Math.max(fixedDurationSeconds, 43_200)
    merged['sts'] = { fixedDurationSeconds, maxDurationSeconds, ...sts }
  }
  for (const key of ['openid', 'ldap', 'customTokens'] as const) {
    const fromFile: unknown = merged[key] ?? []
    if (minio[key].length > 0 && Array.isArray(fromFile)) {
      merged[key] = [...(fromFile as unknown[]), ...minio[key]]
    }
  }
  if (minio.certificates !== undefined) {
    const fromFile = isMapping(merged['certificates']) ? merged['certificates'] : {}
    merged['certificates'] = { ...minio.certificates, ...fromFile }
  }
  return merged
}

function defined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
