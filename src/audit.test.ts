import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  auditLine,
  createStreamAuditLog,
  openAuditLog,
  type AuditAdmin,
  type AuditIssued,
} from './audit.ts'
import { FakeClock } from './credentials/testing/fake-clock.ts'
import { Secret } from './secret.ts'

const at = new Date('2026-01-01T12:00:00Z')

const issued: AuditIssued = {
  kind: 'exchange',
  outcome: 'issued',
  at,
  decisionId: '0123456789ABCDEF',
  action: 'sts:AssumeRoleWithWebIdentity',
  client: { source: '203.0.113.5', secure: true, userAgent: 'aws-cli\n{"forged":1}' },
  proof: { kind: 'token', sha256: new Secret('token').fingerprint() },
  principal: {
    kind: 'web-identity',
    provider: 'keycloak',
    issuer: 'https://idp.example.com',
    subject: 'jane',
    displayName: 'Jane',
  },
  trace: [{ step: 'mapping', outcome: 'ok', detail: 'claim names readwrite' }],
  accessKeyId: 'ASIAABCDEFGHIJKLMNOP',
  tenant: 'default',
  source: { kind: 'policies', names: ['readwrite'] },
  sessionName: 'jane',
  sessionPolicies: [['{"Version":"2012-10-17"}']],
  tags: new Map([
    ['team', 'blue'],
    ['__proto__', 'x'],
  ]),
  issuedAt: at,
  expiresAt: at,
}

function change(requestId: string, parameters: Record<string, string> = {}): AuditAdmin {
  return {
    kind: 'admin',
    at,
    requestId,
    action: 'CreateUser',
    outcome: 'done',
    caller: { kind: 'root', accessKeyId: 'admin', name: 'root' },
    source: '127.0.0.1',
    permissions: [{ action: 'admin:CreateUser', resource: '*' }],
    parameters,
  }
}

/** What a test makes the disk do with the next writes. */
type Fault = 'none' | 'half' | 'nothing' | 'no sync'

describe('the audit log', () => {
  let dir: string
  let clock: FakeClock
  let failures: unknown[]
  let fault: Fault
  let truncates: boolean
  let syncs: number

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'daypass-audit-'))
    clock = new FakeClock()
    failures = []
    fault = 'none'
    truncates = true
    syncs = 0
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const full = (): Error => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })

  /** A real file on a disk that fails when it is told to. */
  const openFile: typeof open = async (...args) => {
    const handle: FileHandle = await open(...args)
    const append = handle.appendFile.bind(handle)
    const datasync = handle.datasync.bind(handle)
    const truncate = handle.truncate.bind(handle)
    return Object.assign(handle, {
      async appendFile(bytes: Buffer) {
        if (fault === 'half') await append(bytes.subarray(0, bytes.length / 2))
        if (fault === 'half' || fault === 'nothing') throw full()
        await append(bytes)
      },
      async datasync() {
        if (fault === 'no sync') throw full()
        syncs += 1
        await datasync()
      },
      async truncate(length: number) {
        if (!truncates) throw full()
        await truncate(length)
      },
    })
  }

  const openLog = (): ReturnType<typeof openAuditLog> =>
    openAuditLog(dir, { clock: clock.now, onFailure: (error) => failures.push(error), openFile })
  const path = (day = '2026-01-01'): string => join(dir, `audit-${day}.jsonl`)
  const lines = (day?: string): Record<string, unknown>[] =>
    readFileSync(path(day), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  const ids = (day?: string): unknown[] => lines(day).map(({ requestId }) => requestId)

  it('writes one line of JSON for one record, in a file of mode 0600', async () => {
    const log = await openLog()
    await log.record(issued)
    await log.record(change('2'))
    assert.equal(statSync(path()).mode & 0o777, 0o600)
    assert.deepEqual(
      lines().map(({ kind, schema }) => [kind, schema]),
      [
        ['exchange', 1],
        ['admin', 1],
      ],
    )
    await log.close()
  })

  it('tells who, how proven, what, why and from where, and a session policy by its digest only', () => {
    const line = JSON.parse(auditLine(issued))
    assert.equal(line.at, '2026-01-01T12:00:00.000Z')
    assert.equal(line.principal.subject, 'jane')
    assert.equal(line.client.userAgent, issued.client.userAgent)
    assert.deepEqual(Object.entries(line.tags), [...(issued.tags ?? [])])
    assert.equal(line.trace[0].detail, 'claim names readwrite')
    assert.deepEqual(line.sessionPolicies, [
      [{ sha256: new Secret('{"Version":"2012-10-17"}').fingerprint(), bytes: 24 }],
    ])
  })

  it('prints a secret that strayed into a record as [secret]', () => {
    const line = auditLine({ ...change('1'), result: { deep: [new Secret('hunter2')] } })
    assert.doesNotMatch(line, /hunter2/)
    assert.match(line, /\[secret\]/)
  })

  it('keeps every record on a line of its own, whatever its texts hold', () => {
    const nasty = '"\n\r\u2028{}\\\u0000\ud800'
    const line = auditLine(change('1', { [nasty]: nasty }))
    assert.equal(line.split('\n').length, 2)
    assert.equal(JSON.parse(line).parameters[nasty], nasty)
  })

  it('has the record on the disk when the promise resolves', async () => {
    const log = await openLog()
    for (let count = 0; count < 5; count += 1) {
      const before = syncs
      await log.record(change(`${count}`))
      assert.ok(syncs > before)
      assert.equal(ids().at(-1), `${count}`)
    }
    await log.close()
  })

  it('shares one sync among the records that wait together, and keeps their order', async () => {
    const log = await openLog()
    const names = Array.from({ length: 500 }, (_, index) => `${index}`)
    await Promise.all(names.map((name) => log.record(change(name))))
    assert.deepEqual(ids(), names)
    assert.ok(syncs < 10, `${syncs} syncs`)
    await log.close()
  })

  it('begins a new file with each UTC day', async () => {
    clock = new FakeClock('2026-01-01T23:59:59.999Z')
    const log = await openLog()
    await log.record(change('old'))
    clock.advance(1)
    await log.record(change('new'))
    assert.deepEqual([ids(), ids('2026-01-02')], [['old'], ['new']])
    await log.close()
  })

  for (const kind of ['half', 'nothing', 'no sync'] as const) {
    it(`rejects the records that it could not write (${kind}), and goes on without a torn line`, async () => {
      const log = await openLog()
      await log.record(change('before'))
      fault = kind
      const lost = [log.record(change('lost 1')), log.record(change('lost 2'))]
      for (const record of lost) await assert.rejects(record, { code: 'ENOSPC' })
      assert.ok(failures.length > 0)
      fault = 'none'
      await log.record(change('after'))
      assert.deepEqual(ids(), ['before', 'after'])
      await log.close()
    })
  }

  it('writes nothing behind a torn line that it cannot take away', async () => {
    const log = await openLog()
    fault = 'half'
    truncates = false
    await assert.rejects(log.record(change('torn')))
    fault = 'none'
    await assert.rejects(log.record(change('behind it')))
    truncates = true
    await log.record(change('after'))
    assert.deepEqual(ids(), ['after'])
    await log.close()
  })

  it('never takes away the lines of another writer', async () => {
    const log = await openLog()
    await log.record(change('ours'))
    fault = 'half'
    truncates = false
    await assert.rejects(log.record(change('torn')))
    const other = auditLine(change('theirs', { long: 'x'.repeat(1000) }))
    appendFileSync(path(), `\n${other}`)
    fault = 'none'
    truncates = true
    await log.record(change('after'))
    const text = readFileSync(path(), 'utf8')
    for (const id of ['ours', 'theirs', 'after']) assert.ok(text.includes(`"requestId":"${id}"`))
    assert.ok(text.includes(other))
    await log.close()
  })

  it('ends the line that a crash cut off, so that what follows is whole', async () => {
    writeFileSync(path(), `${auditLine(change('whole'))}{"schema":1,"kind":"adm`, { mode: 0o600 })
    const log = await openLog()
    await log.record(change('after'))
    await log.close()
    const [whole, torn, after, end] = readFileSync(path(), 'utf8').split('\n')
    assert.match(whole ?? '', /"whole"/)
    assert.equal(torn, '{"schema":1,"kind":"adm')
    assert.equal(JSON.parse(after ?? '').requestId, 'after')
    assert.equal(end, '')
  })

  it('goes on in a new file when somebody has moved the old one away, and after a deletion', async () => {
    const log = await openLog()
    await log.record(change('old'))
    renameSync(path(), path('archive'))
    await log.record(change('new'))
    assert.deepEqual([ids('archive'), ids()], [['old'], ['new']])
    rmSync(path())
    await log.record(change('again'))
    assert.deepEqual(ids(), ['again'])
    await log.close()
  })

  it('goes on after a copying rotation has emptied the file', async () => {
    const log = await openLog()
    await log.record(change('old'))
    writeFileSync(path(), '')
    await log.record(change('new'))
    assert.deepEqual(ids(), ['new'])
    await log.close()
  })

  it('rejects while its directory is gone, and goes on when it is back', async () => {
    const log = await openLog()
    const away = `${dir}-away`
    renameSync(dir, away)
    await assert.rejects(log.record(change('lost')))
    renameSync(away, dir)
    await log.record(change('after'))
    assert.deepEqual(ids(), ['after'])
    await log.close()
  })

  it('does not open when its directory cannot be written', async () => {
    writeFileSync(join(dir, 'file'), '')
    const options = { clock: clock.now, onFailure: () => undefined }
    await assert.rejects(openAuditLog(join(dir, 'file', 'audit'), options))
    chmodSync(dir, 0o500)
    if (process.getuid?.() !== 0) await assert.rejects(openAuditLog(dir, options))
    chmodSync(dir, 0o700)
  })

  it('writes what was recorded before it was closed, and refuses what comes after', async () => {
    const log = await openLog()
    const waiting = Array.from({ length: 50 }, (_, index) => log.record(change(`${index}`)))
    await log.close()
    await Promise.all(waiting)
    assert.equal(ids().length, 50)
    await assert.rejects(log.record(change('late')), /closed/)
    assert.deepEqual(readdirSync(dir), ['audit-2026-01-01.jsonl'])
  })
})

describe('an audit log on a stream', () => {
  it('has a record when the stream has taken it, and rejects what it has not', async () => {
    const taken: string[] = []
    let broken: Error | undefined
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (broken === undefined) taken.push(chunk.toString())
        done(broken)
      },
    })
    stream.on('error', () => undefined)
    const log = createStreamAuditLog(stream)
    await log.record(issued)
    assert.deepEqual(taken, [auditLine(issued)])
    broken = new Error('EPIPE')
    await assert.rejects(log.record(issued), /EPIPE/)
    await assert.rejects(log.record(issued))
    assert.equal(taken.length, 1)
  })

  it('writes what came in one turn in one piece, and has none of it when that fails', async () => {
    const taken: string[] = []
    let broken: Error | undefined
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (broken === undefined) taken.push(chunk.toString())
        done(broken)
      },
    })
    stream.on('error', () => undefined)
    const log = createStreamAuditLog(stream)
    await Promise.all([log.record(issued), log.record(issued), log.record(issued)])
    assert.deepEqual(taken, [auditLine(issued).repeat(3)])
    const last = log.record(issued)
    await log.close()
    await last
    assert.equal(taken.length, 2)
    broken = new Error('EPIPE')
    const both = await Promise.allSettled([log.record(issued), log.record(issued)])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal(taken.length, 2)
  })
})
