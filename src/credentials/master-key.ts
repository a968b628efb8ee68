import { randomBytes, type KeyObject } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { takeKey } from './aead.ts'

/** `environment`: given in `DAYPASS_MASTER_KEY`. `file`: read from `path`, which was just made when `created`. */
export type MasterKey = Readonly<{
  key: KeyObject
  origin: 'file' | 'environment'
  path?: string
  created: boolean
}>

export type MasterKeyOptions = Readonly<{
  env: Readonly<Record<string, string | undefined>>
  /** Where `master.key` is kept when the environment names none. */
  dir: string
  /** Nothing has been sealed yet. Otherwise a missing file is a lost key, which a new one would not replace. */
  mayCreate: boolean
  random?: (bytes: number) => Buffer
}>

/** The given master key cannot be used. The message says what to do and holds nothing of the key. */
export class BadMasterKeyError extends Error {
  override readonly name = 'BadMasterKeyError'
}

const bytesWanted = 32

/**
 * The key under which all stored secrets are sealed: from `DAYPASS_MASTER_KEY` (base64 of 32 bytes), else from the
 * file that `DAYPASS_MASTER_KEY_FILE` names, else from `dir/master.key`, made at the first start with mode 0600.
 * Throws a BadMasterKeyError rather than to make a second key where one was meant.
 */
export function loadMasterKey(options: MasterKeyOptions): MasterKey {
  const { env, dir, mayCreate, random = randomBytes } = options
  const text = env['DAYPASS_MASTER_KEY']
  const file = env['DAYPASS_MASTER_KEY_FILE']
  if (text !== undefined && file !== undefined) {
    throw new BadMasterKeyError('give DAYPASS_MASTER_KEY or DAYPASS_MASTER_KEY_FILE, not both')
  }
  if (text !== undefined) {
    return { key: parseKey(text, 'DAYPASS_MASTER_KEY'), origin: 'environment', created: false }
  }
  if (file === '') throw new BadMasterKeyError('DAYPASS_MASTER_KEY_FILE is empty')
  // Kubernetes gives the files of a Secret to the pod's group, so the group may read them.
  if (file !== undefined) return readKey(file, 0o037)
  const path = join(dir, 'master.key')
  if (!mayCreate && !exists(path)) {
    throw new BadMasterKeyError(
      `${path} is missing, and what is kept in ${dir} was sealed under it: restore it from the backup`,
    )
  }
  const created = makeKeyFile(path, random)
  return { ...readKey(path, 0o077), created }
}

/** @param forbidden mode bits that let others read or change the file. */
function readKey(path: string, forbidden: number): MasterKey {
  const descriptor = openKeyFile(path)
  try {
    const { mode, size } = fstatSync(descriptor)
    if ((mode & forbidden) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0')
      throw new BadMasterKeyError(
        `${path} is open to others (mode ${shown}): chmod 600 it, and think whether somebody has read it`,
      )
    }
    const text = size > 1024 ? '' : readFileSync(descriptor, 'utf8')
    return { key: parseKey(text.trim(), path), origin: 'file', path, created: false }
  } finally {
    closeSync(descriptor)
  }
}

function openKeyFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    throw new BadMasterKeyError(`the master key cannot be read from ${path} (${codeOf(cause)})`, {
      cause,
    })
  }
}

function parseKey(text: string, origin: string): KeyObject {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === bytesWanted && bytes.toString('base64') === text) return takeKey(bytes)
  throw new BadMasterKeyError(
    `${origin} does not hold a master key: base64 of 32 bytes, as \`openssl rand -base64 32\` prints it`,
  )
}

/**
 * True when this call made the file. The whole text is written and synced under another name first and then linked,
 * which fails when the name is taken: no crash leaves half a key, and of two processes one key wins.
 */
function makeKeyFile(path: string, random: (bytes: number) => Buffer): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (exists(path)) return false
  const draft = `${path}.${process.pid}.${random(6).toString('hex')}`
  try {
    writeFileSync(draft, `${random(bytesWanted).toString('base64')}\n`, {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    })
    const made = linkOnce(draft, path)
    return made
  } finally {
    rmSync(draft, { force: true })
    syncDirectory(dirname(path))
  }
}

function exists(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'))
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    return true // there, but not ours to read: readKey says so
  }
}

function linkOnce(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
