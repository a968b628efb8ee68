import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { Secret } from '../secret.ts'
import type { RootKey } from './load.ts'

export type RootCredentials = RootKey &
  Readonly<{
    origin: 'environment' | 'file'
    /** Where they are kept, unless the environment gave them. */
    path?: string
    /** Made just now: the one time that the secret may be shown. */
    created: boolean
  }>

const fileName = 'root-credentials.json'
const rootKeySchema = z.object({
  accessKeyId: z.string().min(3),
  secretAccessKey: z.string().min(8),
})

/** From the environment, else from the data directory, else made there (mode 0600). There are no default secrets. */
export function loadRootCredentials(
  options: Readonly<{ root: RootKey | undefined; dir: string; random: (bytes: number) => Buffer }>,
): RootCredentials {
  if (options.root) return { ...options.root, origin: 'environment', created: false }
  const path = join(options.dir, fileName)
  const existing = readRootCredentials(path)
  if (existing) return { ...existing, origin: 'file', path, created: false }
  const made: RootKey = {
    accessKeyId: `DP${options.random(9).toString('hex').toUpperCase()}`,
    secretAccessKey: new Secret(options.random(30).toString('base64')),
  }
  createRootCredentials(path, made)
  return { ...made, origin: 'file', path, created: true }
}

/**
 * `undefined` when there is no such file.
 * @throws Error that says what to do when others may read the file or it does not hold a key pair.
 */
export function readRootCredentials(path: string): RootKey | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return undefined
  if ((stat.mode & 0o077) !== 0) {
    throw new Error(`${path} can be read by others; run: chmod 600 ${path}`)
  }
  const { accessKeyId, secretAccessKey } = parse(readFileSync(path, 'utf8'), path)
  return { accessKeyId, secretAccessKey: new Secret(secretAccessKey) }
}

function parse(text: string, path: string): { accessKeyId: string; secretAccessKey: string } {
  try {
    return rootKeySchema.parse(JSON.parse(text))
  } catch {
    // The message below says it all; the parser's own would quote the content.
  }
  throw new Error(
    `${path} does not hold a root key; restore it, or delete it to have a new one made`,
  )
}

function createRootCredentials(path: string, key: RootKey): void {
  const text = JSON.stringify(
    { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey.reveal() },
    undefined,
    2,
  )
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, `${text}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  const directory = openSync(dirname(path), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
