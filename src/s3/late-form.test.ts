import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { accessKeyId, now, openKit, secretAccessKey } from './testing/kit.ts'

const credential = `${accessKeyId}/20261121/us-east-1/s3/aws4_request`
const signing = {
  'x-amz-algorithm': 'AWS4-HMAC-SHA256',
  'x-amz-credential': credential,
  'x-amz-date': '20261121T120000Z',
}

function formFields(expiresAt: Date): Record<string, string> {
  const conditions = [{ bucket: 'bkt', key: 'k', ...signing }]
  const json = JSON.stringify({ expiration: expiresAt.toISOString(), conditions })
  const policy = Buffer.from(json).toString('base64')
  const key = ['20261121', 'us-east-1', 's3', 'aws4_request'].reduce(
    (parent: string | Buffer, part) => createHmac('sha256', parent).update(part).digest(),
    `AWS4${secretAccessKey.reveal()}`,
  )
  const signature = createHmac('sha256', key).update(policy).digest('hex')
  return { key: 'k', ...signing, policy, 'x-amz-signature': signature }
}

/** The form's fields come so long after the header of the request. */
async function postAfter(seconds: number): Promise<number> {
  let time = now
  const kit = await openKit({ clock: () => time })
  try {
    await kit.send('/bkt', { method: 'PUT' })
    const fields = Object.entries(formFields(new Date(now.getTime() + 60_000)))
    const part = (name: string, value: string): string =>
      `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('slowly\r\n')
      time = new Date(now.getTime() + seconds * 1000)
      yield Buffer.from(fields.map(([name, value]) => part(name, value)).join(''))
      const file = 'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello'
      yield Buffer.from(`--b\r\n${file}\r\n--b--\r\n`)
    }
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const sent = { method: 'POST', anonymous: true, headers, body: body() }
    return (await kit.send('/bkt', sent)).status
  } finally {
    await kit.close()
  }
}

describe('a browser form that comes slowly', () => {
  it('is judged by the time at which its policy is here, not by that of its header', async () => {
    assert.equal(await postAfter(59), 204)
    assert.equal(await postAfter(60), 403)
  })
})
