import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import type { HttpResponse } from '../http.ts'
import { listen } from '../listener/index.ts'
import type { Listener } from '../listener/index.ts'
import type { Timer } from './call.ts'
import type { Operation, Origin } from './origin.ts'
import { accessKeyId, makeRequest, now, openKit, secretAccessKey, textOf } from './testing/kit.ts'
import type { Kit, Sent } from './testing/kit.ts'

/** A clock that stands still until the test lets it strike. */
class Strikes {
  readonly asked: number[] = []
  #strike: (() => void) | undefined
  #onAsked: (() => void) | undefined

  readonly timer: Timer = (milliseconds, then) => {
    this.asked.push(milliseconds)
    this.#strike = then
    this.#onAsked?.()
    return () => {
      if (this.#strike === then) this.#strike = undefined
    }
  }

  get waiting(): boolean {
    return this.#strike !== undefined
  }

  /** Waits until somebody waits, and lets the time pass. */
  async next(): Promise<void> {
    while (this.#strike === undefined) {
      await new Promise<void>((resolve) => {
        this.#onAsked = resolve
      })
    }
    const strike = this.#strike
    this.#strike = undefined
    strike()
  }
}

/** Holds one kind of operation back, before it reaches the real origin, until it is opened. */
class Gate {
  held: Operation | undefined
  open: () => void = () => undefined
  #opened: Promise<void> = Promise.resolve()

  hold(operation: Operation): void {
    this.held = operation
    this.#opened = new Promise((resolve) => {
      this.open = resolve
    })
  }

  wrap(origin: Origin): Origin {
    return {
      handle: async (operation, request) => {
        if (operation === this.held) await this.#opened
        return await origin.handle(operation, request)
      },
      close: () => origin.close(),
    }
  }
}

const gate = new Gate()
let strikes = new Strikes()
let kit: Kit

before(async () => {
  const timer: Timer = (milliseconds, then) => strikes.timer(milliseconds, then)
  kit = await openKit({ timer }, (origin) => gate.wrap(origin))
  await kit.send('/bkt', { method: 'PUT' })
  await kit.send('/bkt/source', { method: 'PUT', body: '0123456789' })
})
beforeEach(() => {
  strikes = new Strikes()
  gate.held = undefined
})
after(() => kit.close())

const begin = (target: string, sent: Sent): Promise<HttpResponse> =>
  kit.face.handle(makeRequest(target, sent))

const copied: Sent = { method: 'PUT', headers: { 'x-amz-copy-source': '/bkt/source' } }

function piecesOf({ body }: HttpResponse): () => Promise<string> {
  assert.ok(typeof body === 'object' && Symbol.asyncIterator in body)
  const pieces = body[Symbol.asyncIterator]()
  return async () => {
    const { done, value } = await pieces.next()
    return done === true ? 'the end' : Buffer.from(value).toString()
  }
}

async function newUpload(key: string): Promise<{ id: string; completion: Sent }> {
  const created = await kit.send(`/bkt/${key}?uploads`, { method: 'POST' })
  const id = textOf(created.text, 'UploadId') ?? ''
  const part = await kit.send(`/bkt/${key}?partNumber=1&uploadId=${id}`, {
    method: 'PUT',
    body: 'part',
  })
  const row = `<PartNumber>1</PartNumber><ETag>${part.headers['etag']}</ETag>`
  const body = `<CompleteMultipartUpload><Part>${row}</Part></CompleteMultipartUpload>`
  return { id, completion: { method: 'POST', body } }
}

const prolog = '<?xml version="1.0" encoding="UTF-8"?>\n'

describe('answers that take long (S3 surface, sections 19 and 20)', () => {
  it('begin as a 200, go on with white space and end with the result', async () => {
    gate.hold('CopyObject')
    const answer = begin('/bkt/slow', copied)
    await strikes.next()
    const response = await answer
    assert.equal(response.status, 200)
    assert.equal(response.headers['content-type'], 'application/xml')
    assert.equal(response.headers['x-amz-request-id'], '0123456789ABCDEF')
    assert.equal(response.headers['content-length'], undefined)
    const piece = piecesOf(response)
    assert.equal(await piece(), prolog)
    for (let beat = 0; beat < 3; beat++) {
      const next = piece()
      await strikes.next()
      assert.equal(await next, '\n')
    }
    const last = piece()
    gate.open()
    assert.match(await last, /^<CopyObjectResult [^]*<ETag>[^]*<\/CopyObjectResult>$/)
    assert.equal(await piece(), 'the end')
    assert.equal((await kit.send('/bkt/slow')).text, '0123456789')
    assert.deepEqual(strikes.asked, [10_000, 5000, 5000, 5000, 5000])
    assert.equal(strikes.waiting, false)
  })

  it('end with an error inside the 200', async () => {
    const { id, completion } = await newUpload('gone')
    gate.hold('CompleteMultipartUpload')
    const answer = begin(`/bkt/gone?uploadId=${id}`, completion)
    await strikes.next()
    const piece = piecesOf(await answer)
    assert.equal(await piece(), prolog)
    await kit.send(`/bkt/gone?uploadId=${id}`, { method: 'DELETE' })
    gate.open()
    const last = await piece()
    assert.match(last, /^<Error><Code>NoSuchUpload<\/Code>/)
    assert.equal(textOf(last, 'RequestId'), '0123456789ABCDEF')
    assert.equal(await piece(), 'the end')
    assert.deepEqual(kit.faults, [])
  })

  it('log a fault of ours, and tell nothing of it, even when the client has left', async () => {
    const broken = await openKit({ timer: strikes.timer }, (origin) => ({
      handle: async (operation, request) => {
        if (operation !== 'CopyObject') return await origin.handle(operation, request)
        await later
        throw new Error('secret of the disk')
      },
      close: () => origin.close(),
    }))
    let fail = (): void => undefined
    const later = new Promise<void>((resolve) => {
      fail = resolve
    })
    await broken.send('/bkt', { method: 'PUT' })
    await broken.send('/bkt/source', { method: 'PUT', body: 'x' })
    const begun = async (): Promise<HttpResponse> => {
      const answer = broken.face.handle(makeRequest('/bkt/target', copied))
      await strikes.next()
      return await answer
    }
    await begun() // and never read
    const piece = piecesOf(await begun())
    await piece()
    fail()
    const last = await piece()
    assert.equal(textOf(last, 'Code'), 'InternalError')
    assert.doesNotMatch(last, /secret/)
    assert.equal(broken.faults.length, 2)
    await broken.close()
  })

  it('keep their proper status and all headers when they are quick, and leave no timer behind', async () => {
    const quick = await kit.send('/bkt/quick', copied)
    assert.equal(quick.status, 200)
    assert.equal(strikes.waiting, false)
    gate.hold('CopyObject')
    const conditional = { ...copied, headers: { ...copied.headers, 'if-none-match': '*' } }
    const answer = kit.send('/bkt/quick', conditional)
    gate.open()
    assert.equal((await answer).status, 412)
    assert.equal(strikes.waiting, false)
  })

  it('are refused by their proper status before anything is under way', async () => {
    gate.hold('CopyObject')
    const answer = await kit.send('/bkt/none', {
      method: 'PUT',
      headers: { 'x-amz-copy-source': '/bkt/missing' },
    })
    assert.equal(answer.status, 404)
    assert.deepEqual(strikes.asked, [])
  })

  it('name the version that was copied, which is known before the end', async () => {
    gate.hold('CopyObject')
    const versioned = '/bkt/source?versionId=null'
    const answer = begin('/bkt/slow', { ...copied, headers: { 'x-amz-copy-source': versioned } })
    await strikes.next()
    assert.equal((await answer).headers['x-amz-copy-source-version-id'], 'null')
    gate.open()
  })
})

describe('answers that take long, read by the AWS SDK', () => {
  const Bucket = 'bkt'
  const CopySource = '/bkt/source'
  let listener: Listener
  let client: S3Client

  before(async () => {
    listener = await listen({
      address: '127.0.0.1:0',
      trustedProxies: [],
      async handle(request) {
        const response = await kit.face.handle(request)
        // The SDK sets its clock by it.
        return { ...response, headers: { ...response.headers, date: now.toUTCString() } }
      },
      broken: () => ({ status: 500, headers: {} }),
      onError: (what, error) => assert.fail(`${what}: ${String(error)}`),
      clock: () => now,
      requestId: () => '0123456789ABCDEF',
    })
    client = new S3Client({
      endpoint: listener.url,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      systemClockOffset: now.getTime() - Date.now(),
      credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
    })
  })
  after(async () => {
    client.destroy()
    await listener.close(100)
  })

  /** Lets the answer begin late, beat twice, and end. */
  async function slowly<Value>(operation: Operation, sending: () => Promise<Value>) {
    gate.hold(operation)
    const sent = sending()
    sent.catch(() => undefined)
    for (let strike = 0; strike < 3; strike++) await strikes.next()
    gate.open()
    return await sent
  }

  it('are results', async () => {
    const copy = await slowly('CopyObject', () =>
      client.send(new CopyObjectCommand({ Bucket, Key: 'sdk', CopySource })),
    )
    assert.match(copy.CopyObjectResult?.ETag ?? '', /^"[0-9a-f]{32}"$/)
    assert.ok(copy.CopyObjectResult?.ChecksumCRC64NVME)
    const { id } = await newUpload('big')
    const upload = { Bucket, Key: 'big', UploadId: id }
    const part = await slowly('UploadPartCopy', () =>
      client.send(new UploadPartCopyCommand({ ...upload, PartNumber: 2, CopySource })),
    )
    const { ETag } = part.CopyPartResult ?? {}
    assert.ok(ETag)
    const MultipartUpload = { Parts: [{ PartNumber: 2, ETag }] }
    const done = await slowly('CompleteMultipartUpload', () =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload })),
    )
    assert.match(done.ETag ?? '', /-1"$/)
    assert.equal((await kit.send('/bkt/big')).text, '0123456789')
  })

  it('are errors, never results', async () => {
    const { id } = await newUpload('failed')
    const upload = { Bucket, Key: 'failed', UploadId: id }
    const MultipartUpload = { Parts: [{ PartNumber: 9, ETag: '"0"' }] }
    const completing = slowly('CompleteMultipartUpload', () =>
      client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload })),
    )
    await assert.rejects(completing, { name: 'InvalidPart' })
    const copying = slowly('CopyObject', () =>
      client.send(new CopyObjectCommand({ Bucket, Key: 'sdk', CopySource, IfNoneMatch: '*' })),
    )
    await assert.rejects(copying, { name: 'PreconditionFailed' })
    const gone = { ...upload, UploadId: 'unknown', PartNumber: 1, CopySource }
    const part = slowly('UploadPartCopy', () => client.send(new UploadPartCopyCommand(gone)))
    await assert.rejects(part, { name: 'NoSuchUpload' })
  })
})
