import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { after, describe, it } from 'node:test'
import { createLdapVerifier } from '../identity/index.ts'
import { ConfigError, loadConfig, loadRootCredentials, readRootCredentials } from './index.ts'
import type { Config, Problem } from './index.ts'

const dir = mkdtempSync(join(tmpdir(), 'daypass-config-'))
after(() => rmSync(dir, { recursive: true }))

function load(yaml: string, env: Record<string, string> = {}): Config {
  const file = join(dir, `${randomBytes(6).toString('hex')}.yaml`)
  writeFileSync(file, yaml)
  return loadConfig({ file, env })
}

function problemsOf(use: () => unknown): readonly Problem[] {
  try {
    use()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
  assert.fail('was accepted')
}

const paths = (use: () => unknown): readonly string[] =>
  problemsOf(use)
    .map(({ path }) => path)
    .sort()

const minioProvider = {
  MINIO_IDENTITY_OPENID_CONFIG_URL: 'https://idp.example.com/.well-known/openid-configuration',
  MINIO_IDENTITY_OPENID_CLIENT_ID: 'minio-client-app',
}

describe('the configuration file', () => {
  it('that is no YAML is told of by lines, the first twenty of them', () => {
    const problems = problemsOf(() => load('a: b: c\n'.repeat(50)))
    assert.equal(problems.length, 21)
    assert.match(problems[0]?.message ?? '', /^line 1, column \d+: /)
    assert.match(problems[20]?.message ?? '', /more errors/)
  })

  it('that nests without end is refused before it is read', () => {
    for (const text of ['{'.repeat(65_536), '[\n'.repeat(200), '- '.repeat(30_000)]) {
      const [problem] = problemsOf(() => load(text))
      assert.match(problem?.message ?? '', /hundred levels/)
    }
  })

  it('is not needed: everything has a default that listens on loopback only', () => {
    const config = loadConfig({ env: {} })
    assert.equal(config.address, '127.0.0.1:9000')
    assert.equal(config.operationsAddress, '127.0.0.1:9002')
    assert.equal(config.root, undefined)
    assert.deepEqual(config.notices, [])
  })

  it('says all problems at once, each with its path', () => {
    const yaml = `
adress: 127.0.0.1:9000
region: "US East"
sts: { maxDurationSeconds: 10, unknown: 1 }
openid:
  - { name: a, configUrl: nonsense, clientId: "" }
users: { alice: { accessKeys: [{ accessKeyId: abc, secretAccessKey: plain }] } }
`
    assert.deepEqual(
      paths(() => load(yaml)),
      [
        '',
        'openid.0.clientId',
        'openid.0.configUrl',
        'region',
        'sts',
        'sts.maxDurationSeconds',
        'users.alice.accessKeys.0.secretAccessKey',
      ],
    )
  })

  it('takes keys that are shared with an operator from the file, relative to it, or from two variables', () => {
    const shared = (yaml: string, env?: Record<string, string>) => load(yaml, env).sharedSessionKeys
    const inFile = 'sharedSessionKeys: { dir: keys, tenantName: store/main }'
    assert.equal(shared('{}'), undefined)
    assert.deepEqual(shared(inFile), { dir: join(dir, 'keys'), tenantName: 'store/main' })
    const both = { DAYPASS_SHARED_SESSION_KEYS_DIR: '/keys', DAYPASS_TENANT_NAME: 'a/b' }
    assert.deepEqual(shared(inFile, both), { dir: '/keys', tenantName: 'a/b' })
    for (const name of Object.keys(both)) {
      const [missing = ''] = Object.keys(both).filter((other) => other !== name)
      assert.deepEqual(
        paths(() => load('{}', { [name]: 'a/b' })),
        [missing],
      )
    }
  })

  for (const name of ['store', 'store/main/x', '/main', 'Store/main', 'store/main ', '']) {
    it(`refuses "${name}" as the name of a tenant`, () => {
      const yaml = JSON.stringify({ sharedSessionKeys: { dir: 'keys', tenantName: name } })
      assert.deepEqual(
        paths(() => load(yaml)),
        ['sharedSessionKeys.tenantName'],
      )
    })
  }

  it('finds what is wrong with policies beside what is wrong elsewhere', () => {
    const yaml = `
region: "US East"
policies: { bad: { Version: "2012-10-17", Statement: [{ Effect: Maybe }] } }
`
    assert.deepEqual(
      paths(() => load(yaml)),
      ['policies.bad', 'region'],
    )
  })

  it('refuses a secret that stands in the file itself, and does not repeat it', () => {
    const yaml =
      'users: { a: { accessKeys: [{ accessKeyId: abc, secretAccessKey: hunter2hunter2 }] } }'
    for (const problem of problemsOf(() => load(yaml))) {
      assert.doesNotMatch(problem.message, /hunter2/)
    }
  })

  it('takes users, keys by reference, and policies inline or by file', () => {
    writeFileSync(
      join(dir, 'readers.json'),
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}',
    )
    const config = load(
      `
policies:
  readers: { file: readers.json }
  writers: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:PutObject", Resource: "*" }] }
users:
  alice:
    policies: [readers]
    accessKeys: [{ accessKeyId: ALICEKEY, secretAccessKey: { env: ALICE_SECRET } }]
`,
      { ALICE_SECRET: 'a long enough secret' },
    )
    assert.deepEqual(
      config.overlay.policies.map(({ name, managedBy }) => [name, managedBy]),
      [
        ['readers', 'file'],
        ['writers', 'file'],
      ],
    )
    assert.equal(config.overlay.accessKeys[0]?.secretAccessKey.reveal(), 'a long enough secret')
    assert.equal(config.overlay.accessKeys[0]?.user, 'alice')
  })

  it('refuses a policy that does not parse, a missing secret, a key id that is used twice, together', () => {
    const key = '{ accessKeyId: SAMEKEY, secretAccessKey: { env: SET } }'
    const yaml = `
policies: { bad: { Version: "2012-10-17", Statement: [{ Effect: Maybe }] } }
users:
  alice: { accessKeys: [${key}, { accessKeyId: OTHER, secretAccessKey: { env: UNSET } }] }
  bob: { accessKeys: [${key}] }
`
    assert.deepEqual(
      paths(() => load(yaml, { SET: 'a long enough secret' })),
      ['policies.bad', 'users.alice.accessKeys.1', 'users.bob.accessKeys'],
    )
  })

  it('says what is missing, and where a secret belongs', () => {
    const yaml = `
openid: [{ name: a, configUrl: "https://idp/d" }]
users: { a: { accessKeys: [{ accessKeyId: abc, secretAccessKey: plain }] } }
`
    const said = problemsOf(() => load(yaml)).map(({ path, message }) => `${path} ${message}`)
    assert.equal(said[0], 'openid.0.clientId is missing')
    assert.match(said[1] ?? '', /secretAccessKey is \{ env: VARIABLE \} or \{ file: PATH \}/)
  })

  it('refuses a port that there is not', () => {
    assert.deepEqual(
      paths(() => load('address: "127.0.0.1:99999"')),
      ['address'],
    )
  })

  it('names files relative to itself', () => {
    const config = load(`
tls: { certFile: a.pem, keyFile: /etc/b.pem }
openid: [{ name: a, clientId: c, configUrl: "https://idp/d", caFile: ca.pem }]
iamProviders: { caFile: iam-ca.pem }
`)
    assert.deepEqual(config.tls, { certFile: join(dir, 'a.pem'), keyFile: '/etc/b.pem' })
    assert.equal(config.openid[0]?.caFile, join(dir, 'ca.pem'))
    assert.equal(config.iamProviders.caFile, join(dir, 'iam-ca.pem'))
  })

  it('refuses a key that a mapping holds twice', () => {
    assert.equal(problemsOf(() => load('region: a\nregion: b\n')).length, 1)
  })

  it('refuses an alias bomb', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (let letter = 98; letter < 106; letter++) {
      const [name, before] = [String.fromCharCode(letter), String.fromCharCode(letter - 1)]
      lines.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`)
    }
    assert.throws(() => load(lines.join('\n')))
  })

  it('refuses plain HTTP to the outside unless told otherwise, and then speaks of it', () => {
    assert.deepEqual(
      paths(() => load('address: "0.0.0.0:9000"')),
      ['address'],
    )
    assert.deepEqual(
      paths(() => load('address: ":9000"')),
      ['address'],
    )
    const { notices } = load('address: ":9000"\ninsecurePlainHttp: true')
    assert.match(notices.join(), /insecurePlainHttp/)
  })

  it('refuses plain HTTP to a provider that is not on loopback', () => {
    const provider = (host: string): string =>
      `openid: [{ name: a, clientId: c, configUrl: "http://${host}/d" }]`
    assert.deepEqual(
      paths(() => load(provider('idp.example.com'))),
      ['openid.0.configUrl'],
    )
    assert.equal(load(provider('127.0.0.1:5556')).openid.length, 1)
    const minio = (host: string): Config =>
      loadConfig({
        env: { ...minioProvider, MINIO_IDENTITY_OPENID_CONFIG_URL: `http://${host}/d` },
      })
    assert.match(minio('idp.example.com').notices.join(), /plain HTTP/)
    assert.deepEqual(minio('127.0.0.1:5556').notices, [])
  })

  it('refuses a provider that goes by the name of our own users, from the file or from MinIO', () => {
    const yaml = 'openid: [{ name: internal, clientId: c, configUrl: "https://idp/d" }]'
    assert.deepEqual(
      paths(() => load(yaml)),
      ['openid.0.name'],
    )
    const minio = {
      MINIO_IDENTITY_OPENID_CONFIG_URL_INTERNAL: 'https://idp/d',
      MINIO_IDENTITY_OPENID_CLIENT_ID_INTERNAL: 'c',
    }
    assert.deepEqual(
      paths(() => load('', minio)),
      ['openid.0.name'],
    )
  })

  it('refuses two providers of one name, and two roles of one client id', () => {
    const yaml = `
openid:
  - { name: a, clientId: c, configUrl: "https://idp/d", rolePolicy: [readonly] }
  - { name: a, clientId: c, configUrl: "https://idp/d", rolePolicy: [readonly] }
`
    assert.deepEqual(
      paths(() => load(yaml)),
      ['openid.1.clientId', 'openid.1.name'],
    )
  })
})

describe('the environment', () => {
  it("gives the root key by our names or by MinIO's, ours first", () => {
    const minio = { MINIO_ROOT_USER: 'admin', MINIO_ROOT_PASSWORD: 'minio password' }
    const ours = { DAYPASS_ROOT_USER: 'root', DAYPASS_ROOT_PASSWORD: 'our password' }
    assert.equal(loadConfig({ env: minio }).root?.accessKeyId, 'admin')
    assert.equal(loadConfig({ env: { ...minio, ...ours } }).root?.accessKeyId, 'root')
  })

  it('refuses half a root key, short ones, and names that no signature could carry', () => {
    for (const env of [
      { DAYPASS_ROOT_USER: 'root' },
      { DAYPASS_ROOT_PASSWORD: 'long enough' },
      { DAYPASS_ROOT_USER: 'root', DAYPASS_ROOT_PASSWORD: 'short' },
      { DAYPASS_ROOT_USER: 'a b c', DAYPASS_ROOT_PASSWORD: 'long enough' },
      { DAYPASS_ROOT_USER: 'ASIAROOT', DAYPASS_ROOT_PASSWORD: 'long enough' },
    ]) {
      assert.equal(problemsOf(() => loadConfig({ env })).length, 1, JSON.stringify(env))
    }
  })

  it('refuses a variable of ours that it does not know', () => {
    assert.deepEqual(
      paths(() => loadConfig({ env: { DAYPASS_ADRESS: 'x' } })),
      ['DAYPASS_ADRESS'],
    )
  })
})

describe("MinIO's variables (MinIO documentation, OpenID settings)", () => {
  it('configure one provider by claim', () => {
    const { openid } = loadConfig({ env: minioProvider })
    assert.equal(openid[0]?.name, 'default')
    assert.equal(openid[0].clientId, 'minio-client-app')
    assert.equal(openid[0].rolePolicy, undefined)
  })

  it('configure several by suffix, in either mode', () => {
    const { openid } = loadConfig({
      env: {
        ...minioProvider,
        MINIO_IDENTITY_OPENID_CONFIG_URL_DEX: 'https://dex.example.com/d',
        MINIO_IDENTITY_OPENID_CLIENT_ID_DEX: 'app',
        MINIO_IDENTITY_OPENID_ROLE_POLICY_DEX: 'readonly, diagnostics',
        MINIO_IDENTITY_OPENID_CLAIM_USERINFO_DEX: 'on',
      },
    })
    assert.deepEqual(openid.map(({ name }) => name).sort(), ['default', 'dex'])
    const dex = openid.find(({ name }) => name === 'dex')
    assert.deepEqual(dex?.rolePolicy, ['readonly', 'diagnostics'])
    assert.equal(dex.claimUserinfo, true)
  })

  it('are refused when one of them is unknown or half is missing', () => {
    assert.deepEqual(
      paths(() => loadConfig({ env: { MINIO_IDENTITY_OPENID_JWKS_URL: 'https://x' } })),
      ['MINIO_IDENTITY_OPENID_JWKS_URL'],
    )
    assert.deepEqual(
      paths(() => loadConfig({ env: { MINIO_IDENTITY_OPENID_CLIENT_ID_X: 'a' } })),
      ['MINIO_IDENTITY_OPENID_CONFIG_URL_X'],
    )
  })

  it('switch a provider off by ENABLE', () => {
    const env = { ...minioProvider, MINIO_IDENTITY_OPENID_ENABLE: 'off' }
    assert.deepEqual(loadConfig({ env }).openid, [])
  })

  it('give region, domains and the fixed duration', () => {
    const config = loadConfig({
      env: {
        MINIO_SITE_REGION: 'eu-1',
        MINIO_DOMAIN: 's3.test,t.test',
        MINIO_STS_DURATION: '1h30m',
      },
    })
    assert.equal(config.region, 'eu-1')
    assert.deepEqual(config.domains, ['s3.test', 't.test'])
    assert.equal(config.sts.fixedDurationSeconds, 5400)
  })

  it('are refused for a duration that is none', () => {
    for (const duration of ['9s', '1.5h', 'h', '3 h', '366d']) {
      assert.ok(problemsOf(() => loadConfig({ env: { MINIO_STS_DURATION: duration } })).length > 0)
    }
  })

  it('that do nothing here are spoken of', () => {
    const { notices } = loadConfig({ env: { MINIO_CACHE_QUOTA: '80' } })
    assert.match(notices.join(), /MINIO_CACHE_QUOTA/)
  })
})

const minioLdap = {
  MINIO_IDENTITY_LDAP_SERVER_ADDR: 'ldap.example.com',
  MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN: 'cn=reader,dc=example',
  MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD: 'the password of the reader',
  MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN: 'ou=a,dc=example;ou=b,dc=example',
  MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER: '(uid=%s)',
}

describe('the other ways in', () => {
  it('come from MinIO’s LDAP variables, with its port in every mode', () => {
    const { ldap } = loadConfig({
      env: { ...minioLdap, MINIO_IDENTITY_LDAP_SERVER_STARTTLS: 'on' },
    })
    assert.deepEqual(ldap[0]?.servers, ['ldap.example.com:636'])
    assert.equal(ldap[0].startTls, true)
    assert.deepEqual(ldap[0].userBaseDns, ['ou=a,dc=example', 'ou=b,dc=example'])
    assert.equal(ldap[0].lookupBindPassword?.reveal(), 'the password of the reader')
    const srv = { ...minioLdap, MINIO_IDENTITY_LDAP_SRV_RECORD_NAME: 'ldaps' }
    assert.equal(loadConfig({ env: srv }).ldap[0]?.srvRecord, '_ldaps._tcp.ldap.example.com')
  })

  it('come from every one of MinIO’s LDAP variables', () => {
    const one = (more: Readonly<Record<string, string>>) => {
      const prefixed = Object.entries(more).map(([name, value]) => [
        `MINIO_IDENTITY_LDAP_${name}`,
        value,
      ])
      return loadConfig({ env: { ...minioLdap, ...Object.fromEntries(prefixed) } }).ldap
    }
    const { lookupBindPassword, ...whole } =
      one({
        ENABLE: 'on',
        SERVER_ADDR: 'ldap.example.com:1636',
        USER_DN_ATTRIBUTES: 'mail, sshPublicKey',
        GROUP_SEARCH_BASE_DN: 'ou=g,dc=example;ou=h,dc=example',
        GROUP_SEARCH_FILTER: '(|(member=%d)(memberUid=%s))',
        TLS_SKIP_VERIFY: 'on',
        SERVER_INSECURE: 'on',
        SERVER_STARTTLS: 'on',
        COMMENT: 'of head office',
      })[0] ?? {}
    assert.equal(lookupBindPassword?.reveal(), 'the password of the reader')
    assert.deepEqual(whole, {
      name: 'ldap',
      servers: ['ldap.example.com:1636'],
      startTls: true,
      insecurePlain: true,
      insecureSkipVerify: true,
      lookupBindDn: 'cn=reader,dc=example',
      userBaseDns: ['ou=a,dc=example', 'ou=b,dc=example'],
      userFilter: '(uid=%s)',
      userAttributes: ['mail', 'sshPublicKey'],
      groupBaseDns: ['ou=g,dc=example', 'ou=h,dc=example'],
      groupFilter: '(|(member=%d)(memberUid=%s))',
    })
    assert.equal(one({ SRV_RECORD_NAME: 'ldap' })[0]?.srvRecord, '_ldap._tcp.ldap.example.com')
    const named = one({ SRV_RECORD_NAME: 'on', SERVER_ADDR: '_ldap._tcp.corp.example.com' })
    assert.equal(named[0]?.srvRecord, '_ldap._tcp.corp.example.com')
    assert.equal(named[0].servers, undefined)
    assert.equal(one({ LOOKUP_BIND_PASSWORD: '' })[0]?.lookupBindPassword, undefined)
    for (const off of ['off', 'false', '0']) assert.deepEqual(one({ ENABLE: off }), [])
    assert.deepEqual(one({ SERVER_ADDR: '' }), [])
    for (const [name, value] of [
      ['GROUP_SEARCH_BASE_DN', 'ou=g,dc=example'],
      ['USER_DN_SEARCH_FILTER', '(uid=alice)'],
      ['USER_DN_SEARCH_BASE_DN', 'dc=example;ou=a,dc=example'],
      ['USER_DN_ATTRIBUTES', 'a b'],
    ] as const) {
      assert.throws(
        () => createLdapVerifier({ directories: one({ [name]: value }), clock: () => new Date(0) }),
        TypeError,
      )
    }
  })

  it('are refused when a variable is unknown or what is needed is missing', () => {
    const unknown = { MINIO_IDENTITY_LDAP_STS_EXPIRY: '1h' }
    assert.deepEqual(
      paths(() => loadConfig({ env: unknown })),
      ['MINIO_IDENTITY_LDAP_STS_EXPIRY'],
    )
    const half = { MINIO_IDENTITY_LDAP_SERVER_ADDR: 'ldap' }
    assert.ok(paths(() => loadConfig({ env: half })).includes('MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN'))
    const plugin = { MINIO_IDENTITY_PLUGIN_URL: 'https://plugin' }
    assert.ok(paths(() => loadConfig({ env: plugin })).length > 0)
  })

  it('come from MinIO’s plugin variables', () => {
    const { customTokens } = loadConfig({
      env: {
        MINIO_IDENTITY_PLUGIN_URL: 'https://plugin.example.com/auth',
        MINIO_IDENTITY_PLUGIN_AUTH_TOKEN: 'Bearer abc',
        MINIO_IDENTITY_PLUGIN_ROLE_POLICY: 'readonly, writeonly',
      },
    })
    assert.deepEqual(customTokens[0]?.rolePolicy, ['readonly', 'writeonly'])
    assert.equal(customTokens[0].authToken?.reveal(), 'Bearer abc')
  })

  it('take client certificates only with TLS and with an authority of their own', () => {
    const rules = 'rules: [{ cn: backup, policies: [readonly] }]'
    assert.deepEqual(
      paths(() => load(`certificates: { ${rules} }`)),
      ['certificates', 'certificates.caFiles'],
    )
    const tls = 'tls: { certFile: a.pem, keyFile: b.pem }'
    const { certificates } = load(`${tls}\ncertificates: { caFiles: [ca.pem], ${rules} }`)
    assert.equal(certificates?.caFiles[0], join(dir, 'ca.pem'))
    const own = load(
      `${tls}\ncertificates: { caFiles: [ca.pem], rules: [{ caFile: ca.pem, role: r }] }`,
    )
    assert.equal(own.certificates?.rules[0]?.caFile, join(dir, 'ca.pem'))
    const minio = load(`${tls}\ncertificates: { caFiles: [ca.pem], rules: [{ policyFrom: cn }] }`, {
      MINIO_IDENTITY_TLS_ENABLE: 'on',
    })
    assert.deepEqual(minio.certificates?.rules, [{ policyFrom: 'cn' }])
  })

  it('are refused under the name of another one, of whatever kind', () => {
    const provider = 'openid: [{ name: ldap, clientId: c, configUrl: "https://idp/d" }]'
    assert.deepEqual(
      paths(() => load(provider, minioLdap)),
      ['ldap.0.name'],
    )
  })

  it('are turned on and off by words that are known', () => {
    const off = { ...minioLdap, MINIO_IDENTITY_LDAP_ENABLE: 'OFF' }
    assert.deepEqual(loadConfig({ env: off }).ldap, [])
    const wrong = {
      ...minioLdap,
      MINIO_IDENTITY_LDAP_ENABLE: 'no',
      MINIO_IDENTITY_LDAP_SERVER_STARTTLS: 'yes',
      MINIO_IDENTITY_TLS_ENABLE: 'yes',
      MINIO_IDENTITY_PLUGIN_ENABLE: 'never',
    }
    assert.deepEqual(
      paths(() => loadConfig({ env: wrong })),
      [
        'MINIO_IDENTITY_LDAP_ENABLE',
        'MINIO_IDENTITY_LDAP_SERVER_STARTTLS',
        'MINIO_IDENTITY_PLUGIN_ENABLE',
        'MINIO_IDENTITY_TLS_ENABLE',
      ],
    )
  })

  it('speak of what is insecure about them', () => {
    const env = { ...minioLdap, MINIO_IDENTITY_LDAP_SERVER_INSECURE: 'on' }
    assert.match(loadConfig({ env }).notices.join(), /plain text/)
  })
})

describe('roles and groups of the file', () => {
  it('are declared with their trust policies and members', () => {
    const { overlay } = load(`
roles:
  reader:
    trustPolicy:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::000000000000:user/alice" }, Action: "sts:AssumeRole" }]
    policies: [readonly]
groups:
  staff: { policies: [readwrite], members: [alice] }
`)
    assert.equal(overlay.roles?.[0]?.maxSessionSeconds, 3600)
    assert.deepEqual(overlay.groups?.[0]?.members, ['alice'])
  })

  it('are refused with a trust policy that trusts nobody in particular', () => {
    const yaml = 'roles: { r: { trustPolicy: { Version: "2012-10-17", Statement: [] } } }'
    assert.deepEqual(
      paths(() => load(yaml)),
      ['roles.r'],
    )
  })
})

describe('the root key', () => {
  const random = randomBytes

  it('is made at first start with mode 0600, and is the same at the next', () => {
    const home = mkdtempSync(join(dir, 'root-'))
    const first = loadRootCredentials({ root: undefined, dir: home, random })
    const second = loadRootCredentials({ root: undefined, dir: home, random })
    assert.equal(first.created, true)
    assert.equal(second.created, false)
    assert.equal(second.secretAccessKey.reveal(), first.secretAccessKey.reveal())
    assert.equal(statSync(first.path ?? '').mode & 0o777, 0o600)
    assert.equal(first.secretAccessKey.reveal().length, 40)
  })

  it('is refused when others may read it or when the file holds something else', () => {
    const home = mkdtempSync(join(dir, 'root-'))
    const { path = '' } = loadRootCredentials({ root: undefined, dir: home, random })
    chmodSync(path, 0o644)
    assert.throws(() => readRootCredentials(path), /chmod 600/)
    chmodSync(path, 0o600)
    const secret = readFileSync(path, 'utf8')
    writeFileSync(path, '{"accessKeyId":""}')
    assert.throws(() => readRootCredentials(path), /does not hold a root key/)
    assert.ok(secret.length > 0)
  })
})
