import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { openKit, textOf, textsOf } from './testing/kit.ts'
import type { Kit } from './testing/kit.ts'

let kit: Kit
const keys = ['a', 'b/1', 'b/2', 'b/c/1', 'd e&f', 'z/ü', '😀']

before(async () => {
  kit = await openKit()
  for (const bucket of ['bkt', 'other', 'ver']) await kit.send(`/${bucket}`, { method: 'PUT' })
  for (const key of keys) {
    const path = encodeURIComponent(key).replaceAll('%2F', '/')
    await kit.send(`/bkt/${path}`, { method: 'PUT', body: key })
  }
})
after(async () => {
  assert.deepEqual(kit.faults, [], 'faults of ours')
  await kit.close()
})

async function codeOf(target: string): Promise<string | undefined> {
  return (await kit.send(target)).code
}

/** All keys and prefixes, page by page. */
async function pages(
  target: string,
  next: (text: string) => string | undefined,
): Promise<string[][]> {
  const all: string[][] = []
  let page = target
  for (;;) {
    const { text } = await kit.send(page)
    all.push([...textsOf(text, 'Key'), ...textsOf(text, 'Prefix').slice(1)])
    const marker = next(text)
    if (textOf(text, 'IsTruncated') !== 'true' || marker === undefined) return all
    assert.ok(all.length < 20, 'the listing does not end')
    page = `${target}&${marker}`
  }
}

describe('listing objects (S3 surface, section 17)', () => {
  it('goes on page by page, version 2', async () => {
    for (const size of [1, 2, 3, 100]) {
      const listed = await pages(`/bkt?list-type=2&max-keys=${size}&encoding-type=url`, (text) => {
        const token = textOf(text, 'NextContinuationToken')
        return token && `continuation-token=${encodeURIComponent(token)}`
      })
      assert.ok(listed.every((page) => page.length <= size))
      assert.deepEqual(listed.flat().map(decodeURIComponent), keys)
    }
  })

  it('collapses what shares a prefix, and skips it on the next page', async () => {
    const listed = await pages(
      '/bkt?list-type=2&max-keys=1&delimiter=/&encoding-type=url',
      (text) => {
        const token = textOf(text, 'NextContinuationToken')
        return token && `continuation-token=${encodeURIComponent(token)}`
      },
    )
    assert.deepEqual(listed.flat().map(decodeURIComponent), ['a', 'b/', 'd e&f', 'z/', '😀'])
    const { text } = await kit.send('/bkt?list-type=2&delimiter=/&prefix=b/')
    assert.deepEqual(textsOf(text, 'Key'), ['b/1', 'b/2'])
    assert.deepEqual(textsOf(text, 'Prefix'), ['b/', 'b/c/'])
    assert.equal(textOf(text, 'KeyCount'), '3')
  })

  it('goes on from the last key or the next marker, version 1', async () => {
    const listed = await pages('/bkt?max-keys=2&delimiter=/', (text) => {
      const marker = textOf(text, 'NextMarker')
      return marker && `marker=${encodeURIComponent(marker.replace('&amp;', '&'))}`
    })
    assert.deepEqual(listed.flat().sort(), ['a', 'b/', 'd e&amp;f', 'z/', '😀'].sort())
    const plain = await kit.send('/bkt?max-keys=2')
    assert.equal(textOf(plain.text, 'NextMarker'), undefined)
    assert.equal(textOf((await kit.send('/bkt?marker=b/2')).text, 'Key'), 'b/c/1')
  })

  it('escapes keys, or encodes them when asked', async () => {
    assert.ok((await kit.send('/bkt')).text.includes('<Key>d e&amp;f</Key>'))
    const { text } = await kit.send('/bkt?encoding-type=url&prefix=z/')
    assert.equal(textOf(text, 'Key'), 'z/%C3%BC')
    assert.equal(textOf(text, 'Prefix'), 'z/')
    assert.equal(textOf(text, 'EncodingType'), 'url')
    assert.equal(await codeOf('/bkt?encoding-type=base64'), 'InvalidArgument')
  })

  it('answers an empty, untruncated page for no keys at all', async () => {
    const { text } = await kit.send('/bkt?list-type=2&max-keys=0')
    assert.equal(textOf(text, 'KeyCount'), '0')
    assert.equal(textOf(text, 'IsTruncated'), 'false')
    assert.equal(await codeOf('/missing?list-type=2&max-keys=0'), 'NoSuchBucket')
  })

  it('clamps and refuses counts', async () => {
    assert.equal(textOf((await kit.send('/bkt?max-keys=5000')).text, 'MaxKeys'), '1000')
    for (const bad of ['-1', 'x', '1.5', '99999999999', '%201']) {
      assert.equal(await codeOf(`/bkt?max-keys=${bad}`), 'InvalidArgument', bad)
    }
  })

  it('names the owner only when asked, in version 2', async () => {
    assert.equal(textOf((await kit.send('/bkt?list-type=2')).text, 'Owner'), undefined)
    assert.match((await kit.send('/bkt?list-type=2&fetch-owner=true')).text, /<Owner><ID>/)
    assert.match((await kit.send('/bkt')).text, /<Owner><ID>/)
  })

  it('refuses tokens that are empty, garbled, or from another listing', async () => {
    const { text } = await kit.send('/bkt?list-type=2&max-keys=1&delimiter=/')
    const token = encodeURIComponent(textOf(text, 'NextContinuationToken') ?? '')
    const at = (target: string) => codeOf(`${target}&continuation-token=${token}`)
    assert.equal(await at('/bkt?list-type=2&delimiter=/'), undefined)
    assert.equal(await at('/other?list-type=2&delimiter=/'), 'InvalidArgument')
    assert.equal(await at('/bkt?list-type=2&delimiter=/&prefix=b'), 'InvalidArgument')
    assert.equal(await at('/bkt?list-type=2'), 'InvalidArgument')
    for (const bad of ['', 'x', 'eyJ9', `${token}x`]) {
      assert.equal(
        await codeOf(`/bkt?list-type=2&continuation-token=${bad}`),
        'InvalidArgument',
        bad,
      )
    }
  })

  it('starts after a key, unless a token says where', async () => {
    const { text } = await kit.send('/bkt?list-type=2&start-after=b/2&max-keys=1')
    assert.equal(textOf(text, 'Key'), 'b/c/1')
    assert.equal(textOf(text, 'StartAfter'), 'b/2')
    const token = encodeURIComponent(textOf(text, 'NextContinuationToken') ?? '')
    const next = await kit.send(
      `/bkt?list-type=2&start-after=a&max-keys=1&continuation-token=${token}`,
    )
    assert.equal(textOf(next.text, 'Key'), 'd e&amp;f')
  })

  it('refuses unknown versions of the listing and unknown parameters', async () => {
    assert.equal(await codeOf('/bkt?list-type=3'), 'InvalidArgument')
    assert.equal(await codeOf('/bkt?list-type=2&metadata=true'), 'NotImplemented')
    assert.equal(await codeOf('/bkt?prefix=a%00'), 'InvalidArgument')
  })
})

describe('listing versions', () => {
  before(async () => {
    const enable = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'
    await kit.send('/ver?versioning', { method: 'PUT', body: enable })
    for (const body of ['1', '2']) await kit.send('/ver/k', { method: 'PUT', body })
    await kit.send('/ver/k', { method: 'DELETE' })
    await kit.send('/ver/l', { method: 'PUT', body: 'x' })
  })

  it('tells versions and delete markers, newest first, page by page', async () => {
    const { text } = await kit.send('/ver?versions')
    assert.deepEqual(textsOf(text, 'Key'), ['k', 'k', 'k', 'l'])
    assert.deepEqual(textsOf(text, 'IsLatest'), ['true', 'false', 'false', 'true'])
    assert.equal((text.match(/<DeleteMarker>/g) ?? []).length, 1)
    const ids = textsOf(text, 'VersionId')
    const listed: string[] = []
    let target = '/ver?versions&max-keys=1'
    for (;;) {
      const page = await kit.send(target)
      listed.push(...textsOf(page.text, 'VersionId'))
      if (textOf(page.text, 'IsTruncated') !== 'true') break
      const key = textOf(page.text, 'NextKeyMarker')
      const version = textOf(page.text, 'NextVersionIdMarker')
      target = `/ver?versions&max-keys=1&key-marker=${key}&version-id-marker=${version}`
      assert.ok(listed.length < 10)
    }
    assert.deepEqual(listed, ids)
  })

  it('works on buckets that never had versions', async () => {
    const { text } = await kit.send('/bkt?versions&max-keys=1')
    assert.equal(textOf(text, 'VersionId'), 'null')
    assert.equal(textOf(text, 'IsLatest'), 'true')
  })

  it('refuses a version marker without its key', async () => {
    assert.equal(await codeOf('/ver?versions&version-id-marker=x'), 'InvalidArgument')
    assert.equal(await codeOf('/ver?versions&key-marker=k&version-id-marker='), 'InvalidArgument')
  })
})

describe('listing buckets (S3 surface, section 22)', () => {
  it('sorts, filters and pages', async () => {
    assert.deepEqual(textsOf((await kit.send('/')).text, 'Name'), ['bkt', 'other', 'ver'])
    assert.deepEqual(textsOf((await kit.send('/?prefix=o')).text, 'Name'), ['other'])
    assert.deepEqual(textsOf((await kit.send('/?bucket-region=eu-west-1')).text, 'Name'), [])
    const first = await kit.send('/?max-buckets=2')
    assert.deepEqual(textsOf(first.text, 'Name'), ['bkt', 'other'])
    const token = encodeURIComponent(textOf(first.text, 'ContinuationToken') ?? '')
    const second = await kit.send(`/?max-buckets=2&continuation-token=${token}`)
    assert.deepEqual(textsOf(second.text, 'Name'), ['ver'])
    assert.equal(textOf(second.text, 'ContinuationToken'), undefined)
    assert.equal(await codeOf(`/?prefix=o&continuation-token=${token}`), 'InvalidArgument')
  })

  it('refuses bad counts and tokens', async () => {
    for (const bad of [
      'max-buckets=0',
      'max-buckets=10001',
      'max-buckets=x',
      'continuation-token=',
      'continuation-token=x',
    ]) {
      assert.equal(await codeOf(`/?${bad}`), 'InvalidArgument', bad)
    }
  })
})
