import { SaxesParser } from 'saxes'
import { Secret } from '../secret.ts'

/** What AssumeRole gave, as it stood in the answer. */
export type Assumed = Readonly<{
  accessKeyId: string
  secretAccessKey: Secret
  sessionToken: Secret
  expiresAt: Date
}>

const wanted = ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'] as const
const credentialsPath = 'AssumeRoleResponse/AssumeRoleResult/Credentials'
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/**
 * AWS STS API reference, AssumeRole: the four members of `Credentials`, each exactly once and at its place.
 * @returns `undefined` for anything else: half an answer is none
 */
export function parseAssumed(xml: string): Assumed | undefined {
  const found = readMembers(xml)
  if (found === undefined) return undefined
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = wanted.map((name) => {
    const [value, ...more] = found.get(name) ?? []
    return value !== undefined && more.length === 0 ? value : ''
  })
  if (!isPlain(accessKeyId, 128) || !isPlain(secretAccessKey, 512)) return undefined
  if (!isPlain(sessionToken, 16_384) || !instant.test(expiration ?? '')) return undefined
  const expiresAt = new Date(expiration ?? '')
  if (Number.isNaN(expiresAt.getTime())) return undefined
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: new Secret(sessionToken),
    expiresAt,
  }
}

function isPlain(text: string | undefined, longest: number): text is string {
  return text !== undefined && text.length <= longest && /^[!-~]+$/.test(text)
}

function readMembers(xml: string): ReadonlyMap<string, readonly string[]> | undefined {
  const found = new Map<string, string[]>()
  const path: string[] = []
  let text = ''
  let isSound = true
  const parser = new SaxesParser()
  const unsound = (): void => {
    isSound = false
  }
  parser.on('doctype', unsound)
  parser.on('error', unsound)
  parser.on('opentag', ({ name }) => {
    path.push(name)
    text = ''
  })
  parser.on('text', (piece) => {
    text += piece
  })
  parser.on('closetag', ({ name }) => {
    path.pop()
    if (path.join('/') !== credentialsPath) return
    const values = found.get(name)
    if (values) values.push(text)
    else found.set(name, [text])
  })
  parser.write(xml).close()
  return isSound ? found : undefined
}

/** The code of an error in any of their documents, for our log: one plain word, or nothing. */
export function errorCodeOf(body: string): string | undefined {
  const inXml = /<Code>([A-Za-z][A-Za-z0-9.]{0,63})<\/Code>/.exec(body)?.[1]
  return inXml ?? /"Code"\s*:\s*"([A-Za-z][A-Za-z0-9.]{0,63})"/.exec(body)?.[1]
}

/** MinIO's admin API, info-canned-policy with `v=2`: `{"PolicyName": …, "Policy": {…}}`, as the text of the document. */
export function parsePolicyAnswer(body: string, name: string): string | undefined {
  const value = parseObject(body)
  const document = value?.['Policy']
  // An answer about another policy is none about this one.
  if (value?.['PolicyName'] !== name || typeof document !== 'object' || document === null) {
    return undefined
  }
  return JSON.stringify(document)
}

/** MinIO's admin API, info: the region, which may be empty. `undefined`: this is no such answer. */
export function parseInfoRegion(body: string): string | undefined {
  const value = parseObject(body)
  if (value === undefined || typeof value['mode'] !== 'string') return undefined
  const region = value['region'] ?? ''
  return typeof region === 'string' && /^[A-Za-z0-9_-]{0,64}$/.test(region) ? region : undefined
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined
  } catch {
    return undefined
  }
}
