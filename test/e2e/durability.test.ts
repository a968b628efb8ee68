import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import type { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { cleanEnvironment, startDaypass } from './daypass-server.ts'
import type { DaypassServer } from './daypass-server.ts'
import { assumeRole, s3Client } from './keys.ts'
import { absence, command, runProgram } from './programs.ts'
import { headOf, RawConnection } from './raw/connection.ts'
import { signRaw } from './raw/signing.ts'
import { until } from './until.ts'

const bucket = 'kept'
const dirs: string[] = []
const servers: DaypassServer[] = []

after(() => {
  // Those that a failed test has left running.
  for (const server of servers) server.process.kill('SIGKILL')
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
})

async function start(dir: string): Promise<DaypassServer> {
  const server = await startDaypass({ dir })
  servers.push(server)
  return server
}

function makeDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-kept-'))
  dirs.push(dir)
  return dir
}

const rootOf = (server: DaypassServer): S3Client => s3Client(server.endpoint, server.root)
const sha256 = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex')

async function readWhole(client: S3Client, Key: string): Promise<Buffer | undefined> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return undefined
    throw error
  }
}

async function kill(server: DaypassServer): Promise<void> {
  server.process.kill('SIGKILL')
  await once(server.process, 'exit')
}

function filesUnder(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** What a key may hold, as a hash or `gone`: what was acknowledged last, or what was under way when the server died. */
class Ledger {
  readonly #acknowledged = new Map<string, string>()
  readonly #underWay = new Map<string, string>()

  get size(): number {
    return this.#acknowledged.size
  }

  keys(): readonly string[] {
    return [...new Set([...this.#acknowledged.keys(), ...this.#underWay.keys()])]
  }

  async note(key: string, body: Buffer | 'gone', change: () => Promise<unknown>): Promise<void> {
    const what = body === 'gone' ? 'gone' : sha256(body)
    this.#underWay.set(key, what)
    await change()
    this.#acknowledged.set(key, what)
    this.#underWay.delete(key)
  }

  /** Compares, and takes what it turned out to be for what has to be from now on. */
  check(key: string, found: Buffer | undefined): void {
    const what = found === undefined ? 'gone' : sha256(found)
    const acknowledged = this.#acknowledged.get(key) ?? 'gone'
    const possible = [acknowledged, this.#underWay.get(key)]
    assert.ok(possible.includes(what), `${key}: ${what}, not ${possible.join(' or ')}`)
    this.#acknowledged.set(key, what)
    this.#underWay.delete(key)
  }
}

/** Writes, overwrites and removes objects of all sizes until the server is gone. */
async function writeOn(client: S3Client, ledger: Ledger, name: string): Promise<void> {
  const put = (Key: string, bytes: number) => {
    const Body = randomBytes(bytes)
    return ledger.note(Key, Body, () =>
      client.send(new PutObjectCommand({ Bucket: bucket, Key, Body })),
    )
  }
  const inParts = (Key: string, bytes: number) => {
    const Body = randomBytes(bytes)
    const params = { Bucket: bucket, Key, Body }
    return ledger.note(Key, Body, () => new Upload({ client, params, queueSize: 2 }).done())
  }
  try {
    for (let turn = 0; ; turn += 1) {
      await put(`${name}/small/${turn}`, 1 + (turn % 50_000))
      await put(`${name}/again`, turn % 2 === 0 ? 300 : 600_000)
      await put(`${name}/large/${turn}`, 1_500_000)
      if (turn % 3 === 0) await inParts(`${name}/parts/${turn}`, 5 * 1024 * 1024 + 1000)
      if (turn % 3 === 1) {
        const Key = `${name}/large/${turn - 1}`
        const gone = new DeleteObjectCommand({ Bucket: bucket, Key })
        await ledger.note(Key, 'gone', () => client.send(gone))
      }
    }
  } catch {
    // The server is gone: what was under way may or may not have been done.
  }
}

describe('a server that is killed (kill -9) under concurrent writes', () => {
  const writers = 6
  const ledger = new Ledger()
  const dir = makeDir()
  let round = 0

  async function writeUntilKilled(): Promise<void> {
    const server = await start(dir)
    const keys = await assumeRole(server.endpoint, server.root)
    const client = s3Client(server.endpoint, keys)
    if (round++ === 0) await client.send(new CreateBucketCommand({ Bucket: bucket }))
    const before = ledger.size
    const writing = Array.from({ length: writers }, (_, i) =>
      writeOn(client, ledger, `round${round}/writer${i}`),
    )
    await until('some writes are done', () => ledger.size >= before + 3 * writers)
    await setTimeout(Math.random() * 300)
    await kill(server)
    await Promise.all(writing)
    client.destroy()
  }

  for (const title of ['once', 'twice']) {
    it(`${title} has every acknowledged object, whole, and no other, after its restart`, async () => {
      await writeUntilKilled()
      const server = await start(dir)
      try {
        assert.deepEqual(readdirSync(join(dir, 'tmp')), [], 'an unfinished file is left')
        const client = rootOf(server)
        for (const key of ledger.keys()) ledger.check(key, await readWhole(client, key))
        const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
        for (const { Key = '', Size } of Contents) {
          assert.ok(ledger.keys().includes(Key), `${Key} was never written`)
          assert.equal((await readWhole(client, Key))?.length, Size)
        }
      } finally {
        await kill(server)
      }
    })
  }

  it('keeps no file that no object needs: none is left when all objects are removed', async () => {
    const server = await start(dir)
    const client = rootOf(server)
    assert.ok(filesUnder(join(dir, 'data')).length > 0, 'no object is large enough for a file')
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    for (const { Key } of Contents)
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }))
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    for (const { Key, UploadId } of Uploads) {
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
    }
    await server.stop()
    assert.deepEqual(filesUnder(join(dir, 'data')), [])
    assert.deepEqual(filesUnder(join(dir, 'tmp')), [])
  })
})

/** An upload of which the first half has been sent. */
async function beginUpload(server: DaypassServer, key: string, body: Buffer) {
  const keys = await assumeRole(server.endpoint, server.root)
  const request = { method: 'PUT', target: `/${bucket}/${key}`, payload: 'UNSIGNED-PAYLOAD' }
  const host = new URL(server.endpoint).host
  const { headers } = signRaw({ ...request, headers: { host }, keys })
  const connection = await RawConnection.open(server.endpoint)
  const sized = { ...headers, 'content-length': String(body.length) }
  const files = filesUnder(join(server.dir, 'tmp')).length
  connection.send(headOf('PUT', request.target, sized), body.subarray(0, body.length / 2))
  await until('it has begun', () => filesUnder(join(server.dir, 'tmp')).length > files)
  return connection
}

describe('an upload that is interrupted', () => {
  it('by kill -9 leaves neither object nor file, and the object before it stays', async () => {
    const dir = makeDir()
    const server = await start(dir)
    await rootOf(server).send(new CreateBucketCommand({ Bucket: bucket }))
    const before = new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'before' })
    await rootOf(server).send(before)
    const connections = [
      await beginUpload(server, 'k', randomBytes(4 * 1024 * 1024)),
      await beginUpload(server, 'new', randomBytes(4 * 1024 * 1024)),
    ]
    await kill(server)
    for (const connection of connections) assert.equal(await connection.answer(), undefined)
    const again = await start(dir)
    assert.equal((await readWhole(rootOf(again), 'k'))?.toString(), 'before')
    assert.equal(await readWhole(rootOf(again), 'new'), undefined)
    await again.stop()
    assert.deepEqual([...filesUnder(join(dir, 'tmp')), ...filesUnder(join(dir, 'data'))], [])
  })

  it('by SIGTERM is let to its end, while nobody new is let in', async () => {
    const dir = makeDir()
    const server = await start(dir)
    await rootOf(server).send(new CreateBucketCommand({ Bucket: bucket }))
    const body = randomBytes(4 * 1024 * 1024)
    const connection = await beginUpload(server, 'late', body)
    server.process.kill('SIGTERM')
    await until('nobody is let in', () =>
      RawConnection.open(server.endpoint).then(
        (door) => {
          door.close()
          return false
        },
        () => true,
      ),
    )
    connection.send(body.subarray(body.length / 2))
    assert.equal((await connection.answer())?.status, 200)
    connection.close()
    if (server.process.exitCode === null) await once(server.process, 'exit')
    assert.equal(server.process.exitCode, 0)
    const again = await start(dir)
    assert.ok(body.equals((await readWhole(rootOf(again), 'late')) ?? Buffer.alloc(0)))
    await again.stop()
  })
})

const script = '/usr/bin/script'
const noTerminal = absence(script)

/** What a server says to a person who starts it, and stops it by Ctrl-C. */
async function runOnTerminal(dir: string): Promise<string> {
  const anywhere = '127.0.0.1:0'
  const line = `'${process.execPath}' '${command}' server '${dir}' --address ${anywhere} --operations-address ${anywhere}`
  const child = spawn(script, ['-qec', line, '/dev/null'], { env: cleanEnvironment() })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const before = said.length
    said += chunk.toString()
    if (said.includes('Try it') && !said.slice(0, before).includes('Try it')) {
      child.stdin.write('\u0003')
    }
  })
  await once(child, 'exit')
  return said
}

describe('a restart', () => {
  it('keeps sessions, the root key and the secrets, which it does not say again', async () => {
    const dir = makeDir()
    const first = await start(dir)
    const keys = await assumeRole(first.endpoint, first.root)
    await s3Client(first.endpoint, keys).send(new CreateBucketCommand({ Bucket: bucket }))
    await first.stop()
    const second = await start(dir)
    assert.equal(second.root.secretAccessKey, first.root.secretAccessKey)
    const put = new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'by an old session' })
    await s3Client(second.endpoint, keys).send(put)
    for (const { output } of [first, second])
      assert.ok(!output().includes(first.root.secretAccessKey))
    for (const file of ['root-credentials.json', 'master.key', 'state.db', 'objects.db']) {
      assert.equal(statSync(join(dir, file)).mode & 0o077, 0, `${file} is open to others`)
    }
    assert.equal(statSync(dir).mode & 0o077, 0)
    await second.stop()
  })

  it(
    'on a terminal shows the secret of a new root key, and never again',
    { skip: noTerminal },
    async () => {
      const dir = makeDir()
      const shown = await runOnTerminal(dir)
      const { secretAccessKey } = JSON.parse(
        readFileSync(join(dir, 'root-credentials.json'), 'utf8'),
      )
      assert.ok(shown.includes(secretAccessKey), shown)
      const again = await runOnTerminal(dir)
      assert.match(again, /root key/)
      assert.ok(!again.includes(secretAccessKey), 'shown a second time')
    },
  )

  it('of a second server on the same directory is refused, and leaves the first alone', async () => {
    const server = await start(makeDir())
    await rootOf(server).send(new CreateBucketCommand({ Bucket: bucket }))
    const address = ['--address', '127.0.0.1:0', '--operations-address', '127.0.0.1:0']
    const key = readFileSync(join(server.dir, 'root-credentials.json'))
    const second = await runProgram(process.execPath, [command, 'server', server.dir, ...address])
    assert.equal(second.code, 1)
    assert.match(second.error, /is in use: another server has it open/)
    assert.doesNotMatch(second.error, /\n\s+at /, 'a stack is no message')
    assert.deepEqual(readFileSync(join(server.dir, 'root-credentials.json')), key)
    await rootOf(server).send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'x' }))
    await server.stop()
  })
})
