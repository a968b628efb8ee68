import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** One request as it came to a tenant. */
export type Seen = Readonly<{
  method: string
  url: string
  headers: IncomingMessage['headers']
  form: URLSearchParams
}>
export type Reply = Readonly<{ status: number; body: string; headers?: Record<string, string> }>

/** What a tenant does with a request; `undefined`: nothing, it hangs. */
export type Script = (seen: Seen) => Reply | undefined

export type ScriptTenant = Readonly<{ endpoint: string; seen: Seen[]; connections(): number }>

/** A tenant that does as it is told, over real connections: for answers that no sound server gives. */
export async function startTenant(
  t: TestContext,
  script: Script,
  tls?: Readonly<{ cert: string; key: string }>,
): Promise<ScriptTenant> {
  const seen: Seen[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { method = '', url = '', headers } = request
    const one = { method, url, headers, form: new URLSearchParams(text) }
    seen.push(one)
    const reply = script(one)
    if (reply) response.writeHead(reply.status, reply.headers).end(reply.body)
  }
  const listener: RequestListener = (request, response) => {
    handle(request, response).catch(() => response.destroy())
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  let open = 0
  server.on('connection', (socket) => {
    open += 1
    socket.on('close', () => {
      open -= 1
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    seen,
    connections: () => open,
  }
}

/** What a MinIO says; each part can be told otherwise. */
export function minio(
  change: Partial<Readonly<Record<'info' | 'policy' | 'assume', Script>>> = {},
): Script {
  return (seen) => {
    if (seen.url.startsWith('/minio/admin/v3/info-canned-policy'))
      return (change.policy ?? noPolicy)(seen)
    if (seen.url.startsWith('/minio/admin/v3/info')) return (change.info ?? tellsRegion)(seen)
    return (change.assume ?? assumes())(seen)
  }
}

export const noPolicy: Script = () => ({
  status: 404,
  body: JSON.stringify({ Code: 'XMinioAdminNoSuchPolicy', Message: 'none' }),
})

export const tellsRegion: Script = () => ({
  status: 200,
  body: JSON.stringify({ mode: 'online', region: 'eu-central-7' }),
})

export function tellsPolicy(documents: Readonly<Record<string, string>>): Script {
  return (seen) => {
    const name = new URL(seen.url, 'http://x').searchParams.get('name') ?? ''
    const text = documents[name]
    if (text === undefined) return noPolicy(seen)
    const Policy: unknown = JSON.parse(text)
    return { status: 200, body: JSON.stringify({ PolicyName: name, Policy }) }
  }
}

export type Given = Partial<Readonly<Record<'key' | 'secret' | 'token' | 'expiration', string>>>

export function assumed({ key, secret, token, expiration }: Given = {}): string {
  const until = new Date(Date.now() + 3_600_000).toISOString()
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>' +
    '<AssumedRoleUser><Arn></Arn><AssumeRoleId></AssumeRoleId></AssumedRoleUser>' +
    `<Credentials><AccessKeyId>${key ?? 'TEMPKEY'}</AccessKeyId>` +
    `<SecretAccessKey>${secret ?? 'temp-secret'}</SecretAccessKey>` +
    `<Expiration>${expiration ?? until}</Expiration>` +
    `<SessionToken>${token ?? 'temp-token'}</SessionToken></Credentials>` +
    '</AssumeRoleResult><ResponseMetadata></ResponseMetadata></AssumeRoleResponse>'
  )
}

export function assumes(given?: Given): Script {
  return () => ({ status: 200, body: assumed(given) })
}
