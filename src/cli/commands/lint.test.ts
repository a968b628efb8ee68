import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { runCli } from '../testing/fake-server.ts'

const sound = `# what the web shop may do
apiVersion: sts.min.io/v1beta1
kind: PolicyBinding
metadata:
  name: web
  namespace: shop
spec:
  application:
    namespace: apps
    serviceaccount: web
  policies: [reports]
`
const tenant = `apiVersion: daypass.dev/v1
kind: Tenant
metadata: {name: store, namespace: shop}
spec:
  target: {gateway: {sessionKeysSecretRef: {name: keys}}}
  policySource: resources
  ceiling:
    document:
      Version: 2012-10-17
      Statement: [{Effect: Allow, Action: 's3:GetObject', Resource: '*'}]
`
const reports = `apiVersion: daypass.dev/v1
kind: Policy
metadata: {name: reports, namespace: shop}
spec:
  document:
    Version: 2012-10-17
    Statement: [{Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::reports/*'}]
`
const unsound = `apiVersion: daypass.dev/v1
kind: Binding
metadata:
  name: wide
  namespace: shop
spec:
  subjects:
    - namespace: apps
      serviceAccount: web
    - namespace: "a:*"
      serviceAccount: web
  inline:
    - Version: 2012-10-17
      Statement: [{Effect: Perhaps}]
`
const other = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n'

const lint = (stdin: string, ...more: string[]) => runCli(['lint', '-', ...more], { stdin })

describe('lint of Kubernetes resources', () => {
  it('has nothing to say of what is sound', async () => {
    const { code, out, error } = await lint([sound, tenant, reports, other].join('---\n'))
    assert.deepEqual([code, out, error], [0, '3 resources: 0 not valid, 0 warnings\n', ''])
  })

  it('names file, line and member of all that is wrong, and exits with 1', async () => {
    const { code, out, error } = await lint(`${sound}---\n${unsound}`)
    assert.equal(code, 1)
    assert.match(
      out,
      /^standard input:22: error: Binding shop\/wide: spec\.subjects\.1\.namespace: is /m,
    )
    assert.match(out, /^2 resources: 1 not valid, 0 warnings$/m)
    assert.match(error, /Not all of this is valid/)
  })

  it('says where a policy document in a resource is wrong', async () => {
    const { out } = await lint(unsound.replace('"a:*"', 'b'))
    assert.match(out, /^standard input:13: error: Binding shop\/wide: spec\.inline\.0: /m)
  })

  it('warns of what was probably not meant, and exits with 0', async () => {
    const wide = reports.replace("'s3:GetObject'", "'s3:*'")
    const unknown = sound.replace('[reports]', '[reports, nope]')
    const { code, out } = await lint([unknown, tenant, wide].join('---\n'))
    assert.equal(code, 0)
    assert.match(
      out,
      /:11: warning: PolicyBinding shop\/web: spec\.policies\.1: there is no Policy nope/,
    )
    assert.match(
      out,
      /:11: warning: .*spec\.policies\.0: policy reports allows s3:\w+ on .* the ceiling/,
    )
    assert.match(out, /warning: Policy shop\/reports: spec\.document: allows s3:/)
  })

  it('does not guess at tenants where the files hold none', async () => {
    const { out } = await lint(sound)
    assert.equal(out, '1 resource: 0 not valid, 0 warnings\n')
    const elsewhere = tenant.replace('namespace: shop', 'namespace: else')
    const { out: known } = await lint(`${sound}---\n${elsewhere}`)
    assert.match(known, /warning: .* there is no tenant in namespace shop/)
  })

  it('gives the same as JSON', async () => {
    const { code, out } = await lint(`${unsound}---\n${other}`, '--json')
    const { valid, resources, ignored } = JSON.parse(out)
    assert.deepEqual([code, valid, ignored], [1, false, 1])
    const [{ file, line, kind, namespace, name, problems }] = resources
    assert.deepEqual(
      [file, line, kind, namespace, name],
      ['standard input', 1, 'Binding', 'shop', 'wide'],
    )
    assert.deepEqual([problems[0].line, problems[0].path], [10, 'spec.subjects.1.namespace'])
  })

  it('reads folders, several files, JSON and lists', async (t) => {
    const dir = folder(t)
    mkdirSync(join(dir, 'deep'))
    writeFileSync(join(dir, 'a.yaml'), sound)
    writeFileSync(join(dir, 'deep', 'tenant.yml'), tenant)
    const item = {
      apiVersion: 'daypass.dev/v1',
      kind: 'Binding',
      metadata: { name: 'x', namespace: 'n' },
    }
    const list = { apiVersion: 'v1', kind: 'List', items: [item] }
    writeFileSync(join(dir, 'deep', 'list.json'), JSON.stringify(list, null, 2))
    writeFileSync(join(dir, 'readme.md'), 'kind: nonsense: [')
    const { code, out } = await runCli(['lint', dir])
    assert.equal(code, 1)
    assert.match(out, /list\.json:5: error: Binding n\/x: spec: is missing/)
    assert.match(out, /a\.yaml:11: warning: .* no Policy reports/)
    assert.match(out, /^3 resources: 1 not valid/m)
    const files = ['a.yaml', 'deep/tenant.yml'].map((name) => join(dir, name))
    assert.equal((await runCli(['lint', ...files])).code, 0)
  })

  it('takes the namespace of those that name none from the command line', async () => {
    const bare = sound.replace('  namespace: shop\n', '')
    const { out } = await lint(bare, '--namespace', 'mine', '--json')
    assert.equal(JSON.parse(out).resources[0].namespace, 'mine')
    assert.equal(JSON.parse((await lint(bare, '--json')).out).resources[0].namespace, 'default')
  })

  const broken: readonly (readonly [string, string, RegExp])[] = [
    ['what is no YAML', `${sound}---\nspec: [\n`, /^standard input:1[34]: error: /m],
    [
      'a name that stands twice',
      sound.replace('spec:', 'spec: {}\nspec:'),
      /: error: Map keys must be unique/,
    ],
    ['the same resource twice', `${sound}---\n${sound}`, /stands in standard input:2 already/],
    ['a resource without a name', sound.replace('  name: web\n', ''), /metadata\.name: is missing/],
    ['a resource without spec', sound.slice(0, sound.indexOf('spec:')), /spec: is missing/],
    ['aliases that blow up', `a: &a [1]\n${bomb()}`, /error: .*alias/i],
  ]
  for (const [title, text, said] of broken) {
    it(`refuses ${title}`, async () => {
      const { code, out } = await lint(text)
      assert.equal(code, 1)
      assert.match(out, said)
    })
  }

  it('shows no control characters of a file', async () => {
    const { out } = await lint(sound.replace('name: web', 'name: "\\e[31mweb"'))
    assert.ok(!out.includes('\u001b'))
  })

  it('says when there is nothing to judge', async (t) => {
    for (const stdin of [other, '# nothing\n', `${other}---\n${other}`]) {
      const { code, error } = await lint(stdin)
      assert.equal(code, 1)
      assert.match(error, /There is no PolicyBinding, Binding, Policy or Tenant/)
    }
    const empty = await runCli(['lint', folder(t)])
    assert.match(empty.error, /There is no PolicyBinding/)
    assert.equal((await runCli(['lint', '/nowhere.yaml'])).code, 2)
  })
})

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-lint-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

/** Each line holds the one before nine times. */
function bomb(): string {
  const lines = Array.from({ length: 9 }, (_, index) => {
    const before = index === 0 ? '*a' : `*x${index - 1}`
    return `x${index}: &x${index} [${Array(9).fill(before).join(', ')}]\n`
  })
  return lines.join('')
}
