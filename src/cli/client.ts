import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { signRequest } from '../sigv4/index.ts'
import { Answer } from './answer.ts'
import { CliError } from './cli-error.ts'
import { findCredentials } from './credentials.ts'
import type { AccessKeyPair } from './credentials.ts'
import type { Context } from './context.ts'
import { parseEndpoint } from './endpoint.ts'
import { extractMessage } from './extract-message.ts'
import { printable } from './printable.ts'
import { send } from './send.ts'
import type { Reply } from './send.ts'

type Service = 'iam' | 'sts'
export type Fields = Readonly<Record<string, string | undefined>>

/** The running server, as the person whose keys sign. */
export type Client = Readonly<{
  /** One action; its result. @throws CliError */
  call(service: Service, action: string, fields?: Fields): Promise<Answer>
  /** Every page of a list under `member`. */
  list(action: string, member: string, fields?: Fields): Promise<readonly Answer[]>
}>

export type RemoteOptions = Readonly<{ endpoint?: string; dir?: string }>

const versions: Readonly<Record<Service, string>> = { iam: '2010-05-08', sts: '2011-06-15' }

export function createClient(context: Context, options: RemoteOptions): Client {
  const endpoint = parseEndpoint(options.endpoint ?? context.env['DAYPASS_ENDPOINT'])
  const keys = findCredentials(context.env, options.dir)
  const region = findRegion(context.env)
  const call: Client['call'] = async (service, action, fields = {}) => {
    const body = form({ Action: action, Version: versions[service], ...fields })
    const reply = await sendPatiently(endpoint, body, () =>
      sign(endpoint, { region, service }, body, keys, context.clock()),
    )
    const answer = await readReply(reply)
    if (reply.status >= 300) throw refusal(reply.status, answer)
    return answer.member(`${action}Response`).member(`${action}Result`)
  }
  return { call, list: (action, member, fields) => listAll(call, action, member, fields) }
}

const attempts = 5
const pauseMs = 1000

/** Whoever has much to say is told to slow down, and does. */
async function sendPatiently(
  endpoint: URL,
  body: string,
  signed: () => ReturnType<typeof sign>,
): Promise<Reply> {
  for (let attempt = 1; ; attempt++) {
    const reply = await send(endpoint, signed(), body)
    const isThrottled = reply.status === 429 || /<Code>(?:Throttling|SlowDown)</.test(reply.body)
    if (!isThrottled || attempt === attempts) return reply
    await pause(pauseMs)
  }
}

/** Only a server with `regionPolicy: strict` minds. */
function findRegion(env: Context['env']): string {
  return env['DAYPASS_REGION'] || env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || 'us-east-1'
}

async function listAll(
  call: Client['call'],
  action: string,
  member: string,
  fields: Fields = {},
): Promise<readonly Answer[]> {
  const all: Answer[] = []
  let marker: string | undefined
  do {
    const page = await call('iam', action, { ...fields, MaxItems: '1000', Marker: marker })
    all.push(...page.items(member))
    marker = page.flag('IsTruncated') ? page.text('Marker') : undefined
  } while (marker !== undefined)
  return all
}

function form(fields: Fields): string {
  return Object.entries(fields)
    .filter((field): field is [string, string] => field[1] !== undefined)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}

function sign(
  endpoint: URL,
  scope: Readonly<{ region: string; service: Service }>,
  body: string,
  keys: AccessKeyPair,
  now: Date,
): readonly (readonly [string, string])[] {
  const headers: [string, string][] = [
    ['host', endpoint.host],
    ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
    ['accept', 'application/json'],
  ]
  const sha256 = createHash('sha256').update(body).digest('hex')
  const signed = signRequest(
    { method: 'POST', path: '/', query: '', headers },
    keys,
    scope,
    now,
    sha256,
  )
  return [...headers, ['content-length', String(Buffer.byteLength(body))], ...signed]
}

async function readReply(reply: Reply): Promise<Answer> {
  if (reply.contentType.startsWith('application/json')) return Answer.parse(reply.body)
  const { parseXml } = await import('./parse-xml.ts')
  return parseXml(reply.body)
}

const authentication = new Set([
  'AccessDenied',
  'SignatureDoesNotMatch',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'ExpiredToken',
  'InvalidToken',
  'IncompleteSignature',
  'MissingAuthenticationToken',
])

const hints = new Map([
  ['SignatureDoesNotMatch', 'The secret key is wrong, or the clock of this machine is.'],
  [
    'InvalidClientTokenId',
    'The server does not know the access key; give another with --dir or DAYPASS_ACCESS_KEY.',
  ],
  ['ExpiredToken', 'Get new credentials.'],
])

function refusal(status: number, answer: Answer): CliError {
  const error =
    answer.member('ErrorResponse').value === undefined ? answer : answer.member('ErrorResponse')
  const code = error.member('Error').text('Code')
  if (code === undefined) {
    return new CliError(
      'unreachable',
      `What answered with status ${status} is not a Daypass server`,
    )
  }
  const message = printable(error.member('Error').text('Message') ?? '')
  const encoded = error.member('Error').text('EncodedMessage') ?? extractMessage(message)
  const words = encoded === undefined ? message : message.split(/\s*Encoded authorization/, 1)[0]
  const why = encoded === undefined ? '' : `\nWhy: daypass explain ${encoded}`
  const hint = message.includes('must name the region')
    ? 'Set DAYPASS_REGION to it.'
    : hints.get(code)
  return new CliError(
    authentication.has(code) ? 'denied' : 'refused',
    `${printable(code)}: ${words}${hint === undefined ? '' : ` ${hint}`}${why}`,
    { detail: { wireCode: code, status } },
  )
}

/** Whether the server refused with this code of the wire. */
export function isWireCode(error: unknown, code: string): boolean {
  return error instanceof CliError && error.detail['wireCode'] === code
}
