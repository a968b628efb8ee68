/**
 * The floor of GET and PUT: files in a directory, the hashes that S3 asks for and no canonical form. A small PUT
 * goes to a log with one fdatasync for all that came meanwhile; a large one to a file of its own, synced, then renamed.
 */
import { createHash, createHmac, createSecretKey, hash } from 'node:crypto'
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { GroupLog } from './group-log.ts'
import { serve, withBody } from './serve.ts'

const [dir = ''] = process.argv.slice(2)
const signingKey = createSecretKey(Buffer.alloc(32, 1))
const large = 1024 * 1024
const log = await GroupLog.open(join(dir, 'log'))
let files = 0

serve((request, response) => {
  verify(request)
  const size = Number(request.headers['content-length'] ?? 0)
  if (request.method === 'GET') read(request, response)
  else if (size > large) storeLarge(request, response).catch(() => response.destroy())
  else withBody(request, (body) => store(body, response))
})

/** The cryptography of a signature, over a text of about the right length. */
function verify({ rawHeaders, url }: IncomingMessage): Buffer {
  const canonical = `${url}\n${rawHeaders.join('\n')}`
  return createHmac('sha256', signingKey).update(hash('sha256', canonical)).digest()
}

function read({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const path = join(dir, url.slice(url.lastIndexOf('/')))
  const { size } = statSync(path)
  response.writeHead(200, { 'content-length': size })
  if (size > large) createReadStream(path, { highWaterMark: 256 * 1024 }).pipe(response)
  else response.end(readFileSync(path))
}

function store(body: Buffer, response: ServerResponse): void {
  const etag = hash('md5', body)
  hash('sha256', body)
  log.append(body, () => response.writeHead(200, { etag, 'content-length': 0 }).end())
}

async function storeLarge(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = join(dir, `upload-${++files % 8}`)
  const part = `${path}.part-${files}`
  const md5 = createHash('md5')
  const sha256 = createHash('sha256')
  request.on('data', (chunk: Buffer) => {
    md5.update(chunk)
    sha256.update(chunk)
  })
  await pipeline(request, createWriteStream(part, { flush: true, highWaterMark: 512 * 1024 }))
  sha256.digest()
  await rename(part, path)
  response.writeHead(200, { etag: md5.digest('hex'), 'content-length': 0 }).end()
}
