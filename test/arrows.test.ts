import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'

const src = resolve(import.meta.dirname, '../src')

/** Which rooms a room may import. What stands at the top of `src` and holds no wiring may be imported by all. */
const everywhere = [
  'errors',
  'secret',
  'state',
  'storage-failure',
  'http',
  'follow',
  'bounded-cache',
  'checksums',
]
const core = ['policy', 'sigv4', 'identity', 'grants', 'credentials', 'admin']
const arrows: Readonly<Record<string, readonly string[]>> = {
  checksums: [],
  policy: [],
  sigv4: [],
  identity: [],
  // `grants` and `credentials` name each other's values, never each other's code.
  grants: ['identity', 'policy', 'credentials:types'],
  credentials: ['grants:types'],
  admin: ['policy', 'credentials:types'],
  config: ['admin', 'policy', 'identity:types'],
  access: core,
  audit: ['grants:types', 'credentials:types'],
  exchange: [...core, 'audit'],
  sts: [...core, 'access', 'exchange'],
  s3: [...core, 'access'],
  iam: [...core, 'access'],
  'minio-admin': [...core, 'access'],
  // The parsers of resources serve the command line's offline checks.
  kubernetes: [...core, 'targets:types'],
  targets: [...core, 'exchange'],
  operations: [],
  listener: [],
  store: [],
  origins: ['s3:port'],
  // The command line talks to the server over HTTP; the parsers serve its offline checks.
  cli: ['policy', 'sigv4', 'config', 'kubernetes', 'main:late', 'operator:late'],
  main: ['*'],
  operator: ['*'],
  router: [],
}

type Import = Readonly<{
  file: string
  room: string
  target: string
  path: string
  types: boolean
  late: boolean
}>

function files(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** `src/policy/parse.ts` -> `policy`; `src/audit.ts` -> `audit` */
function roomOf(file: string): string {
  const [first = ''] = relative(src, file).split('/')
  return first.replace(/\.ts$/, '')
}

const pattern =
  /^(?:import|export)\s+(type\s)?[^'"]*?from\s+['"](\.[^'"]+)['"]|(import)\(['"](\.[^'"]+)['"]\)/gm

function imports(file: string): Import[] {
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map((match) => {
    const path = resolve(dirname(file), match[2] ?? match[4] ?? '')
    return {
      file: relative(src, file),
      room: roomOf(file),
      target: roomOf(path),
      path: relative(src, path),
      types: match[1] !== undefined,
      late: match[3] !== undefined,
    }
  })
}

const all = files(src)
  .filter(
    (file) =>
      !file.endsWith('.test.ts') && !file.includes('/testing/') && !file.endsWith('conformance.ts'),
  )
  .flatMap(imports)
  .filter(({ room, target }) => room !== target)

function isAllowed({ room, target, types, late }: Import): boolean {
  if (everywhere.includes(target)) return true
  const allowed = arrows[room] ?? []
  return (
    allowed.includes('*') ||
    allowed.includes(target) ||
    (types && allowed.includes(`${target}:types`)) ||
    (late && allowed.includes(`${target}:late`)) ||
    allowed.includes(`${target}:port`)
  )
}

describe('the arrows between rooms (DESIGN section 2)', () => {
  it('sees the imports of the tree', () => {
    assert.ok(all.length > 100, `only ${all.length} imports between rooms were found`)
  })

  it('lets every room import only what it may', () => {
    const wrong = all.filter((found) => !isAllowed(found))
    assert.deepEqual(
      wrong.map(({ file, path }) => `${file} -> ${path}`),
      [],
    )
  })

  it('enters a room by its index, or by its types', () => {
    const wrong = all.filter(
      ({ path }) => path.includes('/') && !/^[^/]+\/(index|types)\.ts$/.test(path),
    )
    assert.deepEqual(
      wrong.map(({ file, path }) => `${file} -> ${path}`),
      [],
    )
  })

  it('knows every room', () => {
    const rooms = new Set(
      files(src)
        .filter((file) => !file.endsWith('.test.ts'))
        .map(roomOf),
    )
    const unknown = [...rooms].filter((room) => !(room in arrows) && !everywhere.includes(room))
    assert.deepEqual(unknown, [])
  })
})
