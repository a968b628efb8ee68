import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Secret } from '../src/secret.ts'
import { signRequest } from '../src/sigv4/index.ts'
import type { ClientKey } from '../src/sigv4/index.ts'
import { planRequest } from './load/plan.ts'
import type { PlannedRequest } from './load/plan.ts'
import { daypassProgram } from './program.ts'
import type { Server, Workplace } from './workplace.ts'

/** A running Daypass, as `daypass server` starts it, with its data in the part's directory. */
export type Daypass = Server & Readonly<{ dir: string; root: ClientKey }>

/** How `daypass server` says where it listens. */
const endpoint = /S3, STS, IAM\s+(https?:\S+)/
const region = 'us-east-1'

type Way = Readonly<{
  dir?: string
  program?: string
  /** The configuration as text; default: JSON. */
  print?: (settings: object) => string
}>

export async function startDaypass(
  place: Workplace,
  settings: object = {},
  { dir = join(place.dir, 'data'), program = daypassProgram, print = JSON.stringify }: Way = {},
): Promise<Daypass> {
  const root = { accessKeyId: 'benchroot', secret: new Secret(randomBytes(20).toString('hex')) }
  const config = place.file(print({ ...unthrottled, ...settings }))
  const any = '127.0.0.1:0'
  const args = ['server', dir, '--address', any, '--operations-address', any, '--config', config]
  const server = await place.serve([program, ...args], endpoint, {
    DAYPASS_ROOT_USER: root.accessKeyId,
    DAYPASS_ROOT_PASSWORD: root.secret.reveal(),
  })
  return { ...server, dir, root }
}

/** All load comes from one address, which would have its bucket of anonymous calls empty within a second. */
const unthrottled = {
  limits: { anonymousPerSecond: 1_000_000, anonymousBurst: 1_000_000, anonymousInFlight: 10_000 },
}

/** A user with keys, for the configuration, and its key, for signing. */
export function benchUser(
  place: Workplace,
  policy: string,
): Readonly<{ users: object; key: ClientKey }> {
  const key = { accessKeyId: 'benchuser', secret: new Secret(randomBytes(20).toString('hex')) }
  const file = place.file(key.secret.reveal())
  const accessKeys = [{ accessKeyId: key.accessKeyId, secretAccessKey: { file } }]
  return { users: { bench: { policies: [policy], accessKeys } }, key }
}

type Unsigned = Readonly<{
  method: string
  path: string
  body?: Uint8Array
  times?: number
  type?: string
}>

/** A request with its signature, ready to be sent again and again for the quarter of an hour that it holds. */
export function planSigned(
  server: Server,
  service: 's3' | 'sts' | 'iam',
  key: ClientKey,
  request: Unsigned,
): PlannedRequest {
  return planRequest({
    ...request,
    target: request.path,
    headers: sign(server, service, key, request),
  })
}

export async function sendSigned(
  server: Server,
  service: 's3' | 'sts' | 'iam',
  key: ClientKey,
  request: Unsigned,
): Promise<Response> {
  const { method, path, body, times = 1 } = request
  const headers = sign(server, service, key, request).filter(([name]) => name !== 'host')
  const content = body && Buffer.concat(Array.from({ length: times }, () => body))
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: Object.fromEntries(headers),
    ...(content === undefined ? {} : { body: content }),
  })
  if (response.ok) return response
  throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
}

/** An action of STS as a form. */
export function action(
  name: string,
  fields: Readonly<Record<string, string>>,
  Version = '2011-06-15',
): Unsigned {
  const body = Buffer.from(new URLSearchParams({ Action: name, Version, ...fields }).toString())
  return { method: 'POST', path: '/', body, type: 'application/x-www-form-urlencoded' }
}

/** The same of IAM. */
export function iamAction(name: string, fields: Readonly<Record<string, string>>): Unsigned {
  return action(name, fields, '2010-05-08')
}

export const assumeRole = action('AssumeRole', {
  RoleArn: 'arn:aws:iam::000000000000:role/bench',
  RoleSessionName: 'bench',
})

/** A session of its own for the key. */
export async function openSession(server: Server, key: ClientKey): Promise<ClientKey> {
  return readCredentials(await sendSigned(server, 'sts', key, assumeRole))
}

async function readCredentials(response: Response): Promise<ClientKey> {
  const text = await response.text()
  const member = (name: string): string => {
    const found = new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1]
    if (found === undefined) throw new Error(`no ${name} in ${text}`)
    return found
  }
  return {
    accessKeyId: member('AccessKeyId'),
    secret: new Secret(member('SecretAccessKey')),
    sessionToken: new Secret(member('SessionToken')),
  }
}

function sign(
  server: Server,
  service: string,
  key: ClientKey,
  { method, path, body, times = 1, type }: Unsigned,
): readonly (readonly [string, string])[] {
  const payload = createHash('sha256')
  for (let part = 0; part < times; part++) payload.update(body ?? '')
  const headers: (readonly [string, string])[] = [['host', new URL(server.url).host]]
  if (type !== undefined) headers.push(['content-type', type])
  const wire = { method, path, query: '', headers }
  const sha256 = payload.digest('hex')
  return [...headers, ...signRequest(wire, key, { region, service }, new Date(), sha256)]
}
