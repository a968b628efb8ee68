import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Origin } from './origin.ts'
import { openKit, textOf } from './testing/kit.ts'
import type { Kit, Received, Sent } from './testing/kit.ts'

/** What happens between the judgement and each attempt to copy. */
let meanwhile: (attempt: number) => Promise<unknown> = async () => undefined
let attempts = 0

function disturbed(origin: Origin): Origin {
  return {
    async handle(operation, request) {
      if (operation === 'CopyObject' || operation === 'UploadPartCopy') {
        attempts += 1
        await meanwhile(attempts)
      }
      return await origin.handle(operation, request)
    },
    close: () => origin.close(),
  }
}

let kit: Kit
before(async () => {
  kit = await openKit({}, disturbed)
  await kit.send('/bkt', { method: 'PUT' })
})
after(async () => {
  assert.deepEqual(kit.faults, [])
  await kit.close()
})
beforeEach(async () => {
  await overwrite('old', 'public=yes')
  meanwhile = async () => undefined
  attempts = 0
  kit.access.allows = () => true
  kit.access.take()
})

const overwrite = (body: string, tags = 'public=yes'): Promise<Received> =>
  kit.send('/bkt/source', { method: 'PUT', body, headers: { 'x-amz-tagging': tags } })

const source: Sent = { method: 'PUT', headers: { 'x-amz-copy-source': '/bkt/source' } }
const once =
  (act: () => Promise<unknown>) =>
  async (attempt: number): Promise<void> => {
    if (attempt === 1) await act()
  }

async function newPart(): Promise<string> {
  const created = await kit.send('/bkt/big?uploads', { method: 'POST' })
  return `/bkt/big?partNumber=1&uploadId=${textOf(created.text, 'UploadId')}`
}

const ways: readonly (readonly [string, () => Promise<string>])[] = [
  ['CopyObject', async () => '/bkt/copy'],
  ['UploadPartCopy', newPart],
]

for (const [name, target] of ways) {
  describe(`${name} of a source that changes meanwhile (S3 surface, section 20)`, () => {
    it('copies the source as it is now', async () => {
      const to = await target()
      meanwhile = once(() => overwrite('new'))
      const copied = await kit.send(to, source)
      assert.equal(copied.status, 200, copied.text)
      // echo -n new | md5sum
      assert.equal(textOf(copied.text, 'ETag'), '&quot;22af645d1859cb5ca6da0c484f1f37ea&quot;')
      assert.equal(attempts, 2)
    })

    it('judges the new source by its own tags before it copies it', async () => {
      const to = await target()
      kit.access.allows = ({ action, s3 }) =>
        action !== 's3:GetObject' || s3?.existingObjectTags?.get('public') !== 'no'
      meanwhile = once(() => overwrite('new', 'public=no'))
      const refused = await kit.send(to, source)
      assert.equal(refused.status, 403, refused.text)
      assert.equal(attempts, 1)
    })

    it('refuses by a condition on the source, which the new one does not meet', async () => {
      const to = await target()
      // echo -n old | md5sum
      const condition = { 'x-amz-copy-source-if-match': '"149603e6c03516362a8da23f624db945"' }
      meanwhile = once(() => overwrite('new'))
      const headers = { ...source.headers, ...condition }
      const refused = await kit.send(to, { ...source, headers })
      assert.equal(refused.status, 412, refused.text)
      assert.equal(attempts, 1)
    })

    it('says so when the source has gone', async () => {
      const to = await target()
      meanwhile = once(() => kit.send('/bkt/source', { method: 'DELETE' }))
      assert.equal((await kit.send(to, source)).code, 'NoSuchKey')
    })

    it('gives up after three retries', async () => {
      const to = await target()
      meanwhile = (attempt) => overwrite(`${attempt}`)
      const refused = await kit.send(to, source)
      assert.deepEqual([refused.status, refused.code], [409, 'ConditionalRequestConflict'])
      assert.equal(attempts, 4)
    })
  })
}
