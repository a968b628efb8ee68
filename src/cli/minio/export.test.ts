import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TestContext } from 'node:test'
import { CliError } from '../cli-error.ts'
import { zipOf } from '../testing/zip.ts'
import type { ZipEntry } from '../testing/zip.ts'
import { readExport } from './export.ts'
import type { MinioExport } from './export.ts'
import { Report } from './report.ts'

const user = { secretKey: 'a secret of alice', status: 'enabled' }
const account = {
  parent: 'alice',
  accessKey: 'JOB',
  secretKey: 'a secret of the job',
  groups: null,
  claims: { accessKey: 'JOB', parent: 'alice', 'sa-policy': 'inherited-policy' },
  sessionPolicy: null,
  status: 'on',
  name: 'job',
  description: '',
  expiration: '1970-01-01T00:00:00Z',
}

function archive(t: TestContext, bytes: Buffer): string {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-minio-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const file = join(dir, 'export.zip')
  writeFileSync(file, bytes)
  return file
}

const entry = (name: string, value: unknown): ZipEntry => ({
  name: `iam-assets/${name}`,
  content: JSON.stringify(value),
})

async function read(
  t: TestContext,
  entries: readonly ZipEntry[],
): Promise<{ given: MinioExport; report: Report }> {
  const report = new Report()
  return { given: await readExport(archive(t, zipOf(entries)), report), report }
}

async function refusal(t: TestContext, bytes: Buffer): Promise<string> {
  try {
    await readExport(archive(t, bytes), new Report())
  } catch (error) {
    assert.ok(error instanceof CliError, String(error))
    assert.equal(error.code, 'invalid')
    assert.match(error.message, /Nothing was imported/)
    return error.message
  }
  return assert.fail('was read')
}

describe('an archive that is none', () => {
  const good = zipOf([entry('users.json', { alice: user })])
  const zeros = Buffer.alloc(60 * 1024 * 1024)
  const bomb = ['policies', 'users', 'groups', 'svcaccts', 'user_mappings'].map((name) => ({
    name: `iam-assets/${name}.json`,
    content: zeros,
  }))
  const bad: readonly (readonly [string, () => Buffer, RegExp])[] = [
    ['an empty file', () => Buffer.alloc(0), /not a whole archive/],
    ['another kind of file', () => Buffer.from('not a zip'.repeat(100)), /not a whole archive/],
    ['one that was cut off', () => good.subarray(0, -10), /not a whole archive/],
    ['one without its beginning', () => good.subarray(20), /not a whole archive/],
    ['more than it should unpack to', () => zipOf(bomb), /unpacks to more than/],
    [
      'an entry that unpacks to more than it says',
      () => zipOf([{ ...entry('users.json', { alice: user }), claims: { size: 3 } }]),
      /not a whole archive/,
    ],
    [
      'more entries than anybody needs',
      () => zipOf(Array.from({ length: 1001 }, (_, n) => ({ name: `e${n}`, content: '' }))),
      /more than 1000 entries/,
    ],
    ['a way out', () => zipOf([{ name: 'iam-assets/../../etc/passwd', content: '' }]), /\.\./],
    [
      'an absolute name',
      () => zipOf([{ name: '/iam-assets/users.json', content: '' }]),
      /absolute/,
    ],
    ['a backslash', () => zipOf([{ name: 'iam-assets\\users.json', content: '{}' }]), /character/],
    [
      'an entry twice',
      () => zipOf([entry('users.json', { alice: user }), entry('users.json', {})]),
      /twice/,
    ],
    [
      'a damaged entry',
      () => zipOf([{ ...entry('users.json', {}), claims: { crc32: 1 } }]),
      /damaged/,
    ],
    [
      'an encrypted entry',
      () => zipOf([{ ...entry('users.json', {}), claims: { flags: 0x0801 } }]),
      /encrypted/,
    ],
    ['nothing of an export', () => zipOf([{ name: 'readme.txt', content: 'hi' }]), /iam-assets/],
    [
      'JSON that is none',
      () => zipOf([{ name: 'iam-assets/users.json', content: '{"a":' }]),
      /not JSON/,
    ],
    [
      'text that is no UTF-8',
      () => zipOf([{ name: 'iam-assets/users.json', content: Buffer.from([0x22, 0xff, 0x22]) }]),
      /not JSON/,
    ],
    ['a list of users', () => zipOf([entry('users.json', [user])]), /no JSON object/],
  ]
  for (const [title, bytes, words] of bad) {
    it(`is refused: ${title}`, async (t) => {
      assert.match(await refusal(t, bytes()), words)
    })
  }

  it('is no archive at all when the file is not there', async () => {
    await assert.rejects(
      readExport('/nowhere/export.zip', new Report()),
      (error) => error instanceof CliError && error.code === 'usage',
    )
  })

  it('does not quote what it could not read, which may be a secret', async (t) => {
    const content = '{"alice":{"secretKey":"hunter22hunter22" "status"'
    const message = await refusal(t, zipOf([{ name: 'iam-assets/users.json', content }]))
    assert.doesNotMatch(message, /hunter/)
  })
})

describe('the records of an export', () => {
  it('are read in their exact shapes', async (t) => {
    const { given, report } = await read(t, [
      entry('policies.json', { p: { Version: '2012-10-17', Statement: [] } }),
      entry('users.json', { bob: { ...user, status: 'disabled' }, alice: user }),
      entry('groups.json', {
        staff: { version: 1, status: 'disabled', members: ['bob', 'alice', 'bob'] },
        empty: { version: 1, status: 'enabled', members: null },
      }),
      entry('user_mappings.json', { alice: { version: 1, policy: 'a, b,,a' } }),
      entry('group_mappings.json', null),
      entry('svcaccts.json', { JOB: { ...account, expiration: '2027-01-01T00:00:00Z' } }),
    ])
    assert.deepEqual(report.lines, [])
    assert.deepEqual(
      given.users.map(({ name, enabled }) => [name, enabled]),
      [
        ['alice', true],
        ['bob', false],
      ],
    )
    assert.deepEqual(given.groups, [
      { name: 'empty', enabled: true, members: [] },
      { name: 'staff', enabled: false, members: ['alice', 'bob'] },
    ])
    assert.deepEqual([...given.userMappings], [['alice', ['a', 'b']]])
    const [job] = given.serviceAccounts
    assert.equal(job?.expiresAt?.toISOString(), '2027-01-01T00:00:00.000Z')
    assert.equal(job?.policy, undefined)
    assert.equal(String(job?.secret), '[secret]')
  })

  const left: readonly (readonly [string, string, unknown])[] = [
    ['a user without a secret', 'users.json', { status: 'enabled' }],
    ['a user without a status', 'users.json', { secretKey: 'abcdefgh' }],
    ['a user with another status', 'users.json', { ...user, status: 'on' }],
    ['a user that is a text', 'users.json', 'alice'],
    ['a group without a status', 'groups.json', { members: [] }],
    ['a group with members that are none', 'groups.json', { status: 'enabled', members: [1] }],
    ['a mapping without policies', 'user_mappings.json', { version: 1 }],
    ['an account under another name', 'svcaccts.json', account],
    ['an account without a parent', 'svcaccts.json', { ...account, accessKey: 'X', parent: 1 }],
    ['an account with another status', 'svcaccts.json', { ...account, accessKey: 'X', status: '' }],
    [
      'an account with an end that is none',
      'svcaccts.json',
      { ...account, accessKey: 'X', expiration: 'soon' },
    ],
    [
      'an account whose own policy is not there',
      'svcaccts.json',
      { ...account, accessKey: 'X', claims: { 'sa-policy': 'embedded-policy' } },
    ],
    [
      'an account of a kind that nobody knows',
      'svcaccts.json',
      { ...account, accessKey: 'X', claims: { 'sa-policy': 'other' } },
    ],
  ]
  for (const [title, file, record] of left) {
    it(`stay behind, and are reported: ${title}`, async (t) => {
      const { given, report } = await read(t, [entry(file, { X: record })])
      assert.deepEqual(
        report.lines.map(({ name, outcome }) => [name, outcome]),
        [['X', 'left']],
      )
      const { users, groups, serviceAccounts, userMappings } = given
      assert.equal(users.length + groups.length + serviceAccounts.length + userMappings.size, 0)
      assert.doesNotMatch(JSON.stringify(report.output(false).value), /a secret of/)
    })
  }

  it('keep whatever policy an account has, also one that is none: it must not be one without', async (t) => {
    const policies = [{}, { Version: '', Statement: null }, 'text', [], false, 0]
    const accounts = policies.map((sessionPolicy, n) => [
      `K${n}`,
      { ...account, accessKey: `K${n}`, sessionPolicy },
    ])
    const { given } = await read(t, [entry('svcaccts.json', Object.fromEntries(accounts))])
    assert.deepEqual(
      given.serviceAccounts.map(({ policy }) => policy),
      policies.map((policy) => JSON.stringify(policy)),
    )
  })

  it('of entries that are not known are named as left behind', async (t) => {
    const { report } = await read(t, [
      entry('users.json', {}),
      entry('sts.json', {}),
      { name: 'ldap/config.json', content: '{}' },
      { name: 'iam-assets/', content: '' },
    ])
    assert.deepEqual(
      report.lines.map(({ kind, name }) => [kind, name]),
      [
        ['entry', 'iam-assets/sts.json'],
        ['entry', 'ldap/config.json'],
      ],
    )
  })

  it('may be those of a hundred thousand users', async (t) => {
    const users = Array.from({ length: 100_000 }, (_, n) => [`user-${n}`, user])
    const { given } = await read(t, [entry('users.json', Object.fromEntries(users))])
    assert.equal(given.users.length, 100_000)
  })
})
