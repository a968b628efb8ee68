import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { createCertificateVerifier, type CertificateRule, type Evidence } from '../index.ts'
import type { CertificateSettings } from './certificate-verifier.ts'
import type { CertificateEvent } from './trust-files.ts'
import { openssl, withoutOpenssl, Workshop } from './testing/authority.ts'

const day = 86_400_000
const cnRule: CertificateRule = { policyFrom: 'cn' }

describe('a client certificate (RFC 5280)', { skip: withoutOpenssl() }, () => {
  const shop = new Workshop()
  // Later than all that is made while the tests run.
  const now = new Date(Date.now() + 3_600_000)
  let clock = now

  before(() => {
    shop.make('root', { extensions: 'ca', days: 60 })
    shop.make('issuing', { by: 'root', extensions: 'ca' })
    shop.make('alice', { by: 'issuing' })
    shop.make('direct', { by: 'root' })
    shop.make('stranger', { extensions: 'ca' })
  })
  after(() => shop.close())

  const settings = (more: Partial<CertificateSettings> = {}): CertificateSettings => ({
    caFiles: [shop.file('root.pem')],
    rules: [cnRule],
    ...more,
  })
  const make = (more: Partial<CertificateSettings> = {}) =>
    createCertificateVerifier({ ...settings(more), clock: () => clock })
  const evidence = (...names: readonly string[]): Evidence => ({
    kind: 'certificate',
    chain: names.map((name) => shop.der(name)),
  })
  const verify = (names: readonly string[], more: Partial<CertificateSettings> = {}, at = now) =>
    make(more).verify(evidence(...names), at)
  const refuses = async (
    names: readonly string[],
    message: RegExp,
    more: Partial<CertificateSettings> = {},
    at = now,
  ) => assert.rejects(verify(names, more, at), { code: 'certificate_refused', message })

  it('proves who it names, until it ends', async () => {
    const verifier = make()
    const principal = await verifier.verify(evidence('alice', 'issuing'), now)
    assert.ok(principal !== undefined)
    const { expiresAt, claims, ...rest } = principal
    assert.deepEqual(rest, {
      kind: 'certificate',
      provider: 'tls',
      issuer: 'CN=issuing',
      subject: 'alice',
      displayName: 'alice',
      groups: [],
    })
    assert.equal(claims.get('cn'), 'alice')
    assert.equal(claims.get('issuer_cn'), 'issuing')
    assert.match(String(claims.get('serial')), /^[0-9a-f]+$/)
    assert.ok(Math.abs((expiresAt?.getTime() ?? 0) - now.getTime() - 30 * day) < day)
    assert.deepEqual(verifier.mappingOf(principal), { kind: 'policies', policies: ['alice'] })
    assert.equal(make().mappingOf(principal), undefined, 'another verifier knows nothing of it')
  })

  it('may be sent with its root, with strangers’ authorities, in any order after itself', async () => {
    const sent = [
      ['alice', 'issuing', 'root'],
      ['alice', 'stranger', 'root', 'issuing'],
      ['direct'],
    ]
    for (const names of sent) assert.ok(await verify(names), names.join())
  })

  it('may end at an intermediate authority that is named as trusted', async () => {
    assert.ok(await verify(['alice'], { caFiles: [shop.file('issuing.pem')] }))
    await refuses(['direct'], /No certificate authority/, { caFiles: [shop.file('issuing.pem')] })
  })

  it('is needed', async () => {
    await assert.rejects(verify([]), { code: 'certificate_missing' })
  })

  it('is not judged when the evidence is of another kind', async () => {
    const signer = { kind: 'root', accessKeyId: 'AKIA' } as const
    assert.equal(await make().verify({ kind: 'signature', signer }, now), undefined)
  })

  it('is refused from an authority that is not trusted here, or with none in between', async () => {
    shop.make('foreign', { by: 'stranger' })
    await refuses(['foreign', 'stranger'], /No certificate authority/)
    await refuses(['alice'], /No certificate authority/)
    await refuses(['alice', 'stranger'], /No certificate authority/)
  })

  it('is refused when it is self-signed, even when it says that it is root’s', async () => {
    shop.make('self')
    await refuses(['self'], /No certificate authority/)
    shop.make('fake', { subject: '/CN=root', extensions: 'ca' })
    shop.make('faked', { by: 'fake' })
    await refuses(['faked', 'fake'], /No certificate authority/)
  })

  it('counts only when it comes first: the key of no other one is proven', async () => {
    shop.make('mine', { extensions: 'ca' })
    await refuses(['mine', 'alice', 'issuing'], /More than one/)
    await refuses(['issuing', 'alice'], /More than one/)
    await refuses(['issuing'], /of a certificate authority/)
  })

  it('is refused beside another one that is no authority’s', async () => {
    await refuses(['alice', 'direct', 'issuing'], /More than one/)
    await refuses(['alice', 'alice', 'issuing'], /More than one/)
  })

  it('may come with ten authorities and no more', async () => {
    const nine = Array.from({ length: 9 }, () => 'stranger')
    assert.ok(await verify(['alice', 'issuing', ...nine]))
    await assert.rejects(verify(['alice', 'issuing', 'root', ...nine]), {
      code: 'too_many_certificates',
    })
  })

  it('is refused before, at and after its end', async () => {
    const { expiresAt: end = now } = (await verify(['direct'])) ?? {}
    assert.ok(await verify(['direct'], {}, new Date(end.getTime() - 1)))
    await refuses(['direct'], /expired/, {}, end)
    await refuses(['direct'], /expired/, {}, new Date(end.getTime() + day))
    await refuses(['direct'], /not valid yet/, {}, new Date(now.getTime() - day))
  })

  it('ends with the first of its chain', async () => {
    shop.make('brief', { by: 'root', extensions: 'ca', days: 3 })
    shop.make('long', { by: 'brief', days: 20 })
    const principal = await verify(['long', 'brief'])
    assert.ok((principal?.expiresAt?.getTime() ?? Infinity) < now.getTime() + 4 * day)
    await refuses(['long', 'brief'], /No certificate/, {}, new Date(now.getTime() + 5 * day))
    shop.make('old-root', { extensions: 'ca', days: 3 })
    shop.make('outliving', { by: 'old-root', days: 20 })
    const caFiles = [shop.file('old-root.pem')]
    await refuses(['outliving'], /No certificate/, { caFiles }, new Date(now.getTime() + 5 * day))
  })

  it('has to name client authentication: no extended key usage is not every one', async () => {
    const usages = {
      none: ['keyUsage=digitalSignature'],
      server: ['extendedKeyUsage=serverAuth'],
      any: ['extendedKeyUsage=anyExtendedKeyUsage'],
      mail: ['extendedKeyUsage=emailProtection,codeSigning'],
    }
    for (const [name, extensions] of Object.entries(usages)) {
      shop.make(name, { by: 'root', extensions })
      await refuses([name], /client authentication/)
      await refuses([name], /client authentication/, { insecureSkipVerify: true })
    }
    shop.make('both', { by: 'root', extensions: ['extendedKeyUsage=serverAuth,clientAuth'] })
    assert.ok(await verify(['both']))
  })

  it('is refused when its key is not for signatures, or is weak', async () => {
    const extensions = ['keyUsage=keyEncipherment', 'extendedKeyUsage=clientAuth']
    shop.make('encipher', { by: 'root', extensions })
    await refuses(['encipher'], /not made for signatures/)
    shop.make('rsa1024', { by: 'root', newKey: ['rsa:1024'] })
    await refuses(['rsa1024'], /a key that is not taken/)
    shop.make('k1', { by: 'root', newKey: ['ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'] })
    await refuses(['k1'], /a key that is not taken/)
  })

  it('may have an RSA or Edwards key, and be signed with RSASSA-PSS', async () => {
    shop.make('rsa-root', { extensions: 'ca', newKey: ['rsa:2048'] })
    const caFiles = [shop.file('rsa-root.pem')]
    const pss = ['-sha256', '-sigopt', 'rsa_padding_mode:pss']
    shop.make('rsa', { by: 'rsa-root', newKey: ['rsa:2048'] })
    shop.make('pss', { by: 'rsa-root', newKey: ['ed25519'], sign: pss })
    assert.ok(await verify(['rsa'], { caFiles }))
    assert.ok(await verify(['pss'], { caFiles }))
    shop.make('rsa-sha1', { by: 'rsa-root', sign: ['-sha1'] })
    shop.make('pss-sha1', { by: 'rsa-root', sign: ['-sha1', ...pss.slice(1)] })
    shop.make('md5', { by: 'rsa-root', sign: ['-md5'] })
    for (const name of ['rsa-sha1', 'pss-sha1', 'md5']) {
      await refuses([name], /No certificate authority/, { caFiles })
      await assert.rejects(verify([name], { caFiles }), {
        detail: {
          subject: `CN=${name}`,
          issuer: 'CN=rsa-root',
          problems: [`CN=${name}: is signed in a way that is not taken here`],
        },
      })
    }
  })

  it('is refused from what is no authority, or one that may not', async () => {
    const authorities = {
      'no-ca': ['basicConstraints=critical,CA:FALSE'],
      'no-sign': ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,cRLSign'],
      'servers-only': ['basicConstraints=critical,CA:TRUE', 'extendedKeyUsage=serverAuth'],
      constrained: [
        'basicConstraints=critical,CA:TRUE',
        'nameConstraints=critical,permitted;DNS:example.com',
      ],
      'soft-constrained': [
        'basicConstraints=critical,CA:TRUE',
        'nameConstraints=permitted;DNS:example.com',
      ],
      strange: ['basicConstraints=critical,CA:TRUE', '1.2.3.4=critical,ASN1:NULL'],
    }
    for (const [name, extensions] of Object.entries(authorities)) {
      shop.make(name, { by: 'root', extensions })
      shop.make(`of-${name}`, { by: name })
      const message = name === 'no-ca' ? /More than one/ : /No certificate authority/
      await refuses([`of-${name}`, name], message)
    }
    shop.make('of-client', { by: 'direct' })
    await refuses(['of-client', 'direct'], /More than one/)
  })

  it('is refused below an authority whose path is too short', async () => {
    const short = ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=keyCertSign']
    shop.make('last', { by: 'root', extensions: short })
    shop.make('fits', { by: 'last' })
    assert.ok(await verify(['fits', 'last']))
    shop.make('beyond', { by: 'last', extensions: 'ca' })
    shop.make('too-far', { by: 'beyond' })
    await refuses(['too-far', 'beyond', 'last'], /No certificate authority/)
    shop.make('short-root', { extensions: short })
    shop.make('under', { by: 'short-root', extensions: 'ca' })
    shop.make('under-client', { by: 'under' })
    const caFiles = [shop.file('short-root.pem')]
    await refuses(['under-client', 'under'], /No certificate authority/, { caFiles })
  })

  it('is refused with an extension that restricts it in a way which we do not follow', async () => {
    const extensions = ['extendedKeyUsage=clientAuth', '1.2.3.4=critical,ASN1:NULL']
    shop.make('odd', { by: 'root', extensions })
    await refuses(['odd'], /not followed here \(1\.2\.3\.4\)/)
  })

  it('is refused when a byte of it differs', async () => {
    const der = shop.der('direct')
    const verifier = make()
    for (let at = 0; at < der.length; at += 1) {
      const bent = Buffer.from(der)
      bent.writeUInt8(der.readUInt8(at) ^ 1, at)
      await assert.rejects(verifier.verify({ kind: 'certificate', chain: [bent] }, now), {
        code: 'certificate_refused',
      })
    }
  })

  it('is refused with another one hidden in it, whose signature would pass for its own', async () => {
    const hidden = Buffer.from(`\n${shop.pem('direct')}`)
    const length = Buffer.from([0x04, 0x82, hidden.length >> 8, hidden.length & 0xff])
    const extension = `1.2.3.4=DER:${Buffer.concat([length, hidden]).toString('hex')}`
    shop.make('impostor', { subject: '/CN=root', extensions: 'ca' })
    shop.make('admin', {
      by: 'impostor',
      extensions: ['extendedKeyUsage=clientAuth', extension],
    })
    await refuses(['admin'], /cannot be read/)
    shop.make('authority', {
      by: 'impostor',
      extensions: ['basicConstraints=critical,CA:TRUE', extension],
    })
    shop.make('below', { by: 'authority' })
    await refuses(['below', 'authority'], /cannot be read/)
  })

  it('is refused when it was made without extensions, and told what to do', async () => {
    shop.make('plain', { by: 'issuing', extensions: [] })
    await refuses(['plain', 'issuing'], /extendedKeyUsage=clientAuth/)
  })

  it('is refused when it is none', async () => {
    const der = shop.der('direct')
    const chains = [
      Buffer.alloc(0),
      Buffer.from('hello'),
      Buffer.from([0x30, 0x80, 0, 0]),
      der.subarray(0, -1),
      Buffer.concat([der, Buffer.from([0])]),
      Buffer.from(shop.pem('direct')),
      Buffer.alloc(100_000, 0x30),
    ]
    for (const bytes of chains) {
      await assert.rejects(make().verify({ kind: 'certificate', chain: [bytes] }, now), {
        code: 'certificate_refused',
        message: 'A certificate that was sent cannot be read',
      })
    }
  })

  it('is judged in bounded time, however many authorities of one name come along', async () => {
    shop.make('maze', { extensions: 'ca', subject: '/CN=maze' })
    shop.make('lost', { by: 'maze' })
    const names = Array.from({ length: 10 }, () => 'maze')
    const began = performance.now()
    await refuses(['lost', ...names], /No certificate authority/)
    assert.ok(performance.now() - began < 2000)
  })

  it('with insecureSkipVerify may be anybody’s, but not expired', async () => {
    shop.make('nobody', { subject: '/CN=nobody' })
    const more = { insecureSkipVerify: true, caFiles: [] }
    assert.equal((await verify(['nobody'], more))?.subject, 'nobody')
    await refuses(['nobody'], /expired/, more, new Date(now.getTime() + 40 * day))
    await refuses(['root'], /of a certificate authority/, more)
  })

  describe('and the files that decide', () => {
    it('follow their authorities: added, removed, broken, gone', async () => {
      const caFile = shop.file('changing.pem')
      const verifier = make({ caFiles: [caFile] })
      const next = () => {
        clock = new Date(clock.getTime() + 1000)
        return verifier.verify(evidence('direct'), now)
      }
      await assert.rejects(next(), { code: 'provider_unavailable' })
      assert.equal(verifier.status().ready, false)
      writeFileSync(caFile, shop.pem('stranger', 'root'))
      assert.ok(await next())
      assert.deepEqual(verifier.status(), { provider: 'tls', ready: true })
      writeFileSync(caFile, shop.pem('stranger'))
      await assert.rejects(next(), { code: 'certificate_refused' })
      for (const text of [
        '',
        'nothing',
        shop.pem('root', 'direct'),
        shop.pem('root').slice(0, -40),
      ]) {
        writeFileSync(caFile, text)
        await assert.rejects(next(), { code: 'provider_unavailable' })
      }
      copyFileSync(shop.file('root.pem'), caFile)
      assert.ok(await next())
    })

    it('tell once when they stop to be of use, and when they are again', async () => {
      const events: CertificateEvent[] = []
      const [caFile, crlFile] = [shop.file('told.pem'), shop.file('told.crl')]
      shop.revoke('root', [], 'told.crl')
      const verifier = createCertificateVerifier({
        ...settings({ caFiles: [caFile], crlFiles: [crlFile] }),
        clock: () => clock,
        log: (event) => events.push(event),
      })
      const ask = (after = 1000) => {
        clock = new Date(clock.getTime() + after)
        return verifier.verify(evidence('direct'), clock).catch(() => undefined)
      }
      await ask()
      await ask()
      copyFileSync(shop.file('root.pem'), caFile)
      await ask()
      assert.deepEqual(verifier.status(), { provider: 'tls', ready: true })
      await ask(11 * day)
      assert.equal(verifier.status().error, 'the revocation list of CN=root is out of date')
      clock = now
      assert.deepEqual(
        events.map(({ kind, detail }) => [kind, /told\.pem|again|out of date/.exec(detail)?.[0]]),
        [
          ['certificates_unavailable', 'told.pem'],
          ['certificates_available', 'again'],
          ['certificates_unavailable', 'out of date'],
        ],
      )
    })

    it('are looked at in the background, before anybody comes', async () => {
      const told = Promise.withResolvers<CertificateEvent>()
      const verifier = createCertificateVerifier({
        ...settings({ caFiles: [shop.file('absent.pem')] }),
        clock: () => clock,
        log: told.resolve,
      })
      verifier.start()
      assert.equal((await told.promise).kind, 'certificates_unavailable')
      assert.equal(verifier.status().ready, false)
      verifier.close()
    })

    it('are looked at once a second, whoever asks', async () => {
      const caFile = shop.file('flood.pem')
      copyFileSync(shop.file('root.pem'), caFile)
      const verifier = make({ caFiles: [caFile] })
      assert.ok(await verifier.verify(evidence('direct'), now))
      writeFileSync(caFile, '')
      assert.ok(await verifier.verify(evidence('direct'), now))
    })
  })

  describe('and revocation lists', () => {
    before(() => {
      shop.make('bob', { by: 'issuing' })
      shop.revoke('issuing', ['bob'], 'issuing.crl')
      shop.revoke('root', [], 'root.crl')
    })
    const lists = (...names: readonly string[]) => ({
      crlFiles: names.map((name) => shop.file(name)),
    })

    it('is taken while it stands on none, each of its chain being covered', async () => {
      assert.ok(await verify(['alice', 'issuing'], lists('issuing.crl', 'root.crl')))
    })

    it('is refused when it stands on one', async () => {
      await refuses(['bob', 'issuing'], /revoked/, lists('issuing.crl', 'root.crl'))
      openssl(
        'crl',
        '-in',
        shop.file('issuing.crl'),
        '-outform',
        'DER',
        '-out',
        shop.file('der.crl'),
      )
      await refuses(['bob', 'issuing'], /revoked/, lists('der.crl', 'root.crl'))
    })

    it('is refused when its authority stands on one', async () => {
      shop.revoke('root', ['issuing'], 'harsh.crl')
      await refuses(['alice', 'issuing'], /revoked/, lists('issuing.crl', 'harsh.crl'))
      const more = { ...lists('issuing.crl', 'harsh.crl'), crlScope: 'leaf' } as const
      await refuses(['alice', 'issuing'], /revoked/, more)
    })

    it('is refused without a list of its authority', async () => {
      await refuses(['alice', 'issuing'], /cannot be told/, lists('root.crl'))
      await refuses(['alice', 'issuing'], /cannot be told/, lists('issuing.crl'))
      const more = { ...lists('issuing.crl'), crlScope: 'leaf' } as const
      assert.ok(await verify(['alice', 'issuing'], more))
      await refuses(['bob', 'issuing'], /revoked/, more)
      await refuses(['alice', 'issuing'], /cannot be told/, {
        ...lists('root.crl'),
        crlScope: 'leaf',
      })
    })

    it('is refused when the list is out of date, unless an insecure setting takes such ones', async () => {
      const later = new Date(now.getTime() + 11 * day)
      const both = lists('issuing.crl', 'root.crl')
      await refuses(['alice', 'issuing'], /cannot be told/, both, later)
      const stale = { ...both, insecureStaleCrl: true }
      assert.ok(await verify(['alice', 'issuing'], stale, later))
      await refuses(['bob', 'issuing'], /revoked/, stale, later)
    })

    it('is not cleared by a list of another authority with the same name', async () => {
      shop.make('impostor', { subject: '/CN=issuing', extensions: 'ca' })
      shop.revoke('impostor', [], 'impostor.crl')
      await refuses(['bob', 'issuing'], /cannot be told/, lists('impostor.crl', 'root.crl'))
      await refuses(['bob', 'issuing'], /revoked/, lists('impostor.crl', 'issuing.crl', 'root.crl'))
    })

    it('is not cleared by an authority that may not sign lists', async () => {
      const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']
      shop.make('no-lists', { by: 'root', extensions })
      shop.make('of-no-lists', { by: 'no-lists' })
      shop.revoke('no-lists', [], 'no-lists.crl')
      const more = lists('no-lists.crl', 'root.crl')
      await refuses(['of-no-lists', 'no-lists'], /cannot be told/, more)
    })

    it('is judged by nobody while a list is partial, forged, broken or gone', async () => {
      shop.revoke('issuing', [], 'partial.crl', ['-crlexts', 'partial'])
      const text = readFileSync(shop.file('issuing.crl'), 'utf8')
      writeFileSync(shop.file('broken.crl'), text.replace('\nM', '\nN'))
      writeFileSync(shop.file('empty.crl'), '')
      for (const name of ['partial.crl', 'broken.crl', 'empty.crl', 'absent.crl', 'root.pem']) {
        await assert.rejects(verify(['alice', 'issuing'], lists(name, 'root.crl')), {
          code: 'provider_unavailable',
        })
      }
      const forged = text.split('\n')
      forged[5] = (forged[5] ?? '').split('').toReversed().join('')
      writeFileSync(shop.file('forged.crl'), forged.join('\n'))
      await assert.rejects(verify(['bob', 'issuing'], lists('forged.crl', 'root.crl')))
    })

    it('is refused within a second after a new list has come', async () => {
      copyFileSync(shop.file('issuing.crl'), shop.file('live.crl'))
      const verifier = make(lists('live.crl', 'root.crl'))
      assert.ok(await verifier.verify(evidence('alice', 'issuing'), now))
      shop.revoke('issuing', ['alice', 'bob'], 'live.crl')
      clock = new Date(clock.getTime() + 1000)
      await assert.rejects(verifier.verify(evidence('alice', 'issuing'), now), /revoked/)
    })
  })

  describe('and its names', () => {
    const spiffe = 'spiffe://example.org/ns/shop/sa/web'
    const named = (name: string, subject: string, altNames?: string) => {
      const extensions = ['extendedKeyUsage=clientAuth']
      if (altNames !== undefined) extensions.push(`subjectAltName=${altNames}`)
      shop.make(name, { by: 'root', subject, extensions })
    }
    const award = { policies: ['readonly'] }

    it('come as claims', async () => {
      named('full', '/O=Example/O=Two/OU=Robots/CN=Zoë, "R2"', `DNS:Web.Example.com,URI:${spiffe}`)
      const principal = await verify(['full'])
      const { serial: _, ...claims } = Object.fromEntries(principal?.claims ?? [])
      assert.deepEqual(claims, {
        cn: 'Zoë, "R2"',
        issuer_cn: 'root',
        organization: ['Example', 'Two'],
        organizational_unit: ['Robots'],
        san_dns: ['web.example.com'],
        san_uri: [spiffe],
      })
    })

    it('meet the first rule that fits, or none', async () => {
      named('web', '/O=SPIRE', `URI:${spiffe}`)
      named('host', '/O=Example', 'DNS:a.web.example.com')
      named('robot', '/OU=Robots/CN=r2d2')
      const rules: readonly CertificateRule[] = [
        { uri: 'spiffe://example.org/ns/*/sa/web', role: 'web' },
        { dns: '*.web.example.com', issuerCn: 'root', policies: ['hosts'] },
        { ou: 'Robots', issuerCn: 'issuing', policies: ['wrong'] },
        { ou: 'Robots', cn: 'r2d2', policies: ['robots', 'more'] },
        { ou: 'Robots', policies: ['late'] },
      ]
      const verifier = make({ rules })
      const cases = [
        ['web', spiffe, { kind: 'role', role: 'web' }],
        ['host', 'dns:a.web.example.com', { kind: 'policies', policies: ['hosts'] }],
        ['robot', 'r2d2', { kind: 'policies', policies: ['robots', 'more'] }],
      ] as const
      for (const [name, subject, mapping] of cases) {
        const principal = await verifier.verify(evidence(name), now)
        assert.equal(principal?.subject, subject)
        assert.deepEqual(verifier.mappingOf(principal), mapping)
      }
      await assert.rejects(verifier.verify(evidence('direct'), now), {
        code: 'certificate_refused',
        message: /No rule/,
      })
    })

    it('count under one authority only, where the rule names its file: any can make another of any name', async () => {
      shop.make('guests', { extensions: 'ca' })
      shop.make('false-root', { by: 'guests', subject: '/CN=root', extensions: 'ca' })
      shop.make('guest', { by: 'false-root', subject: '/CN=direct' })
      const [root, guests] = [shop.file('root.pem'), shop.file('guests.pem')]
      const by = (rule: CertificateRule) => make({ caFiles: [root, guests], rules: [rule] })
      const asGuest = evidence('guest', 'false-root')
      const byName = by({ cn: 'direct', issuerCn: 'root', policies: ['readonly'] })
      assert.ok(await byName.verify(asGuest, now), 'which is why there is the other condition')
      const own = by({ cn: 'direct', caFile: root, policies: ['readonly'] })
      await assert.rejects(own.verify(asGuest, now), { message: /No rule/ })
      assert.equal((await own.verify(evidence('direct'), now))?.subject, 'direct')
      const anybody = by({ caFile: guests, policies: ['readonly'] })
      assert.ok(await anybody.verify(asGuest, now))
      await assert.rejects(anybody.verify(evidence('direct'), now), { message: /No rule/ })
    })

    it('are not split: a comma in a common name is a comma (as a policy name, too)', async () => {
      named('list', '/CN=readonly,readwrite')
      const verifier = make()
      const principal = await verifier.verify(evidence('list'), now)
      assert.ok(principal !== undefined)
      assert.deepEqual(verifier.mappingOf(principal), {
        kind: 'policies',
        policies: ['readonly,readwrite'],
      })
    })

    it('give nothing without a common name, or with two', async () => {
      named('nameless', '/O=Example')
      named('twofold', '/CN=readonly/CN=consoleAdmin')
      for (const name of ['nameless', 'twofold']) await refuses([name], /No rule/)
      await refuses(['twofold'], /No rule/, { rules: [{ cn: 'consoleAdmin', ...award }] })
    })

    it('of one kind never pass for those of another', async () => {
      named('pretender', '/CN=dns:web.example.com', 'DNS:x.example.com')
      assert.equal((await verify(['pretender']))?.subject, 'cn:dns:web.example.com')
      const rules = [{ dns: 'web.example.com', ...award }]
      await refuses(['pretender'], /No rule/, { rules })
    })

    it('hold one sound SPIFFE id or none', async () => {
      const rules = [{ cn: 'svid', ...award }]
      const bad = [
        `URI:${spiffe},URI:spiffe://example.org/other`,
        `URI:${spiffe},URI:https://example.org/`,
        'URI:spiffe://example.org/ns/../sa/web',
        'URI:spiffe://example.org/ns//sa',
        'URI:spiffe://Example.org/ns',
        'URI:SPIFFE://example.org/ns',
        'URI:spiffe://example.org/ns%2Fsa',
        'URI:spiffe://example.org:80/ns',
        'URI:spiffe://example.org/ns?x',
      ]
      for (const altNames of bad) {
        named('svid', '/CN=svid', altNames)
        await refuses(['svid'], /SPIFFE/, { rules })
      }
    })

    it('that hold control characters are no names', async () => {
      named('newline', '/CN=alice\nbob')
      await refuses(['newline'], /cannot be read/)
    })
  })

  it('settings that make no sense stop the start', () => {
    const award = { policies: ['readonly'] }
    const wrong: readonly Partial<CertificateSettings>[] = [
      { caFiles: [] },
      { rules: [] },
      { name: '' },
      { name: 'internal' },
      { insecureSkipVerify: true, crlFiles: ['x.crl'] },
      { rules: [{ ...award }] },
      { rules: [{ cn: '', ...award }] },
      { rules: [{ cn: 'a', policies: [] }] },
      { rules: [{ cn: 'a', policies: [''] }] },
      { rules: [{ cn: 'a', role: '' }] },
      { rules: [{ cn: 'a' } as unknown as CertificateRule] },
      { rules: [{ cn: 'a', role: 'b', policies: ['c'] } as unknown as CertificateRule] },
      { rules: [{ dns: '*.com', ...award }] },
      { rules: [cnRule, { uri: 'spiffe://*/x', ...award }] },
      { rules: [{ caFile: shop.file('other.pem'), ...award }] },
      { insecureSkipVerify: true, rules: [{ caFile: shop.file('root.pem'), ...award }] },
    ]
    for (const more of wrong) assert.throws(() => make(more), TypeError, inspect(more))
    assert.throws(() => make({ rules: [cnRule, { ou: '', ...award }] }), /rules\[1\]/)
  })
})
