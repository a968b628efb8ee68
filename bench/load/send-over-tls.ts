import { request } from 'node:https'
import type { Plan, PlannedRequest } from './plan.ts'

/** Sends a planned form once, with a client certificate. */
export function sendOverTls(
  url: string,
  { body = '' }: PlannedRequest,
  tls: NonNullable<Plan['newTls']>,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const sent = request(url, { method: 'POST', headers, ...tls, agent: false }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if (answer.statusCode !== 200) reject(new Error(`${answer.statusCode} ${text}`))
        else resolve(new Response(text, { headers: flat(answer.headers) }))
      })
    })
    sent.on('error', reject)
    sent.end(Buffer.from(body, 'base64'))
  })
}

function flat(headers: NodeJS.Dict<string | string[]>): [string, string][] {
  return Object.entries(headers).map(([name, value]) => [name, String(value)])
}
