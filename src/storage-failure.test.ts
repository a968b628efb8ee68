import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { storageFailure } from './storage-failure.ts'

const failed = (message: string, more: object): Error => Object.assign(new Error(message), more)

function messageOf(error: unknown): string {
  const wrapped = storageFailure('/srv/state.db', error)
  assert.ok(wrapped instanceof Error)
  return wrapped.message
}

describe('an error of storage', () => {
  const sqlite = { code: 'ERR_SQLITE_ERROR' }

  it('names the path and keeps the cause', () => {
    const cause = failed('file is not a database', { ...sqlite, errcode: 26 })
    const wrapped = storageFailure('/srv/state.db', cause)
    assert.ok(wrapped instanceof Error)
    assert.equal(wrapped.message, '/srv/state.db cannot be opened: file is not a database.')
    assert.equal(wrapped.cause, cause)
  })

  it('says that the disk is full, by whatever it is known', () => {
    const full = [
      failed('database or disk is full', { ...sqlite, errcode: 13 }),
      failed('no space left on device', { code: 'ENOSPC' }),
      failed('quota exceeded', { code: 'EDQUOT' }),
    ]
    for (const error of full) assert.match(messageOf(error), /The disk is full: make room/)
    // SQLITE_IOERR_SHMSIZE
    const noSharedMemory = failed('disk I/O error', { ...sqlite, errcode: 4874 })
    assert.match(messageOf(noSharedMemory), /full or broken/)
    assert.doesNotMatch(messageOf(failed('denied', { code: 'EACCES' })), /full/)
  })

  it('leaves alone what is no error of the system', () => {
    const others = [new Error('schema 99'), failed('x', { code: 'ERR_INVALID_STATE' }), 'text']
    for (const other of others) assert.equal(storageFailure('/srv/state.db', other), other)
  })
})
