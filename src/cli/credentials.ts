import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Secret } from '../secret.ts'
import { Answer } from './answer.ts'
import { CliError } from './cli-error.ts'

export type AccessKeyPair = Readonly<{
  accessKeyId: string
  secret: Secret
  sessionToken?: Secret
}>

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Whose keys sign: the root key in a directory that was named on the command line; else `DAYPASS_ACCESS_KEY` and its
 * sisters; else the root key in `DAYPASS_DIR`; else `AWS_ACCESS_KEY_ID` and its sisters, which are often those of
 * somebody being tried out; else the root key in `./data`.
 * @throws CliError `usage` when there are none, or only half of a pair.
 */
export function findCredentials(env: Environment, dir: string | undefined): AccessKeyPair {
  if (dir !== undefined) return readRootKey(dir)
  return (
    fromEnvironment(env, 'DAYPASS_ACCESS_KEY', 'DAYPASS_SECRET_KEY', 'DAYPASS_SESSION_TOKEN') ??
    (env['DAYPASS_DIR'] ? readRootKey(env['DAYPASS_DIR']) : undefined) ??
    fromEnvironment(env, 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN') ??
    readRootKey('./data')
  )
}

function fromEnvironment(
  env: Environment,
  idName: string,
  secretName: string,
  tokenName: string,
): AccessKeyPair | undefined {
  const [accessKeyId, secret, token] = [env[idName], env[secretName], env[tokenName]]
  if (!accessKeyId && !secret) return undefined
  if (!accessKeyId || !secret) {
    throw new CliError('usage', `${idName} and ${secretName} go together; one of them is not set`)
  }
  return {
    accessKeyId,
    secret: new Secret(secret),
    ...(token ? { sessionToken: new Secret(token) } : {}),
  }
}

function readRootKey(dir: string): AccessKeyPair {
  const file = join(dir, 'root-credentials.json')
  const root = new Answer(parseFile(file))
  const [accessKeyId, secret] = [root.text('accessKeyId'), root.text('secretAccessKey')]
  if (!accessKeyId || !secret) {
    throw new CliError('usage', `${file} does not hold accessKeyId and secretAccessKey`)
  }
  return { accessKeyId, secret: new Secret(secret) }
}

function parseFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new CliError(
      'usage',
      `No keys to sign with: ${file} cannot be read. Set DAYPASS_ACCESS_KEY and DAYPASS_SECRET_KEY, ` +
        "or give the server's directory with --dir. A server that has its root key from its environment keeps no such file",
      { cause },
    )
  }
}
