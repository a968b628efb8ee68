import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { listen, type Listener } from '../../listener/index.ts'
import { Secret } from '../../secret.ts'
import { createCertificateVerifier, createClientChainReader, IdentityError } from '../index.ts'
import { withoutOpenssl, Workshop } from './testing/authority.ts'

const run = promisify(execFile)

/** From a client that we did not write, over TLS, through the door, to a principal. */
describe('curl --cert', { skip: withoutOpenssl() || (await withoutCurl()) }, () => {
  const shop = new Workshop()
  const doors: Listener[] = []
  const proof = 'a-long-shared-secret'
  let direct = ''
  let plain = ''

  before(async () => {
    shop.make('server', { extensions: ['subjectAltName=IP:127.0.0.1'] })
    shop.make('root', { extensions: 'ca' })
    shop.make('issuing', { by: 'root', extensions: 'ca' })
    shop.make('alice', { by: 'issuing' })
    shop.make('no-usage', { by: 'issuing', extensions: ['keyUsage=digitalSignature'] })
    shop.make('for-servers', { by: 'issuing', extensions: ['extendedKeyUsage=serverAuth'] })
    shop.make('self')
    shop.make('mine', { extensions: 'ca' })
    for (const name of ['alice', 'no-usage', 'for-servers']) {
      writeFileSync(shop.file(`${name}-chain.pem`), shop.pem(name, 'issuing'))
    }
    // The key of the first is known to the client; the certificate of alice is public.
    writeFileSync(shop.file('mine-chain.pem'), shop.pem('mine', 'alice', 'issuing'))
    const verifier = createCertificateVerifier({
      caFiles: [shop.file('root.pem')],
      rules: [{ policyFrom: 'cn' }],
      clock: () => new Date(),
    })
    const readChain = createClientChainReader({
      addresses: ['127.0.0.2'],
      certificateHeader: 'X-Client-Cert',
      format: 'pem',
      proofHeader: 'X-Proxy-Proof',
      proof: new Secret(proof),
    })
    const open = async (tls: boolean): Promise<string> => {
      const door = await listen({
        address: '127.0.0.1:0',
        ...(tls && {
          tls: {
            certFile: shop.file('server.pem'),
            keyFile: shop.file('server.key'),
            requestClientCertificates: true,
          },
        }),
        trustedProxies: [],
        async handle(request) {
          try {
            const chain = readChain(request)
            if (chain === undefined) return { status: 400, headers: {}, body: 'no TLS' }
            const principal = await verifier.verify({ kind: 'certificate', chain }, new Date())
            return { status: 200, headers: {}, body: principal?.subject ?? '' }
          } catch (error) {
            assert.ok(error instanceof IdentityError)
            return { status: 403, headers: {}, body: error.code }
          }
        },
        broken: () => ({ status: 500, headers: {}, body: 'broken' }),
        onError: () => undefined,
        clock: () => new Date(),
        requestId: () => '0123456789ABCDEF',
      })
      doors.push(door)
      return door.url
    }
    direct = await open(true)
    plain = await open(false)
  })
  after(async () => {
    for (const door of doors) await door.close(100)
    shop.close()
  })

  const curl = async (url: string, ...words: readonly string[]): Promise<string> => {
    const usual = ['--silent', '--noproxy', '*', '--cacert', shop.file('server.pem')]
    return (await run('curl', [...usual, ...words, url])).stdout
  }
  const as = (file: string, key: string) => [
    '--cert',
    shop.file(`${file}.pem`),
    '--key',
    shop.file(`${key}.key`),
  ]

  it('proves who the certificate names, with either version of TLS', async () => {
    for (const version of ['--tls-max', '--tlsv1.3']) {
      const words = version === '--tls-max' ? [version, '1.2'] : [version]
      assert.equal(await curl(direct, ...as('alice-chain', 'alice'), ...words), 'alice')
    }
  })

  it('proves nothing without a certificate', async () => {
    assert.equal(await curl(direct), 'certificate_missing')
  })

  it('proves nothing with one that is not for clients, of nobody, or of somebody else', async () => {
    const attempts = [
      ['no-usage-chain', 'no-usage'],
      ['for-servers-chain', 'for-servers'],
      ['self', 'self'],
      ['alice', 'alice'],
      ['mine-chain', 'mine'],
    ] as const
    for (const [file, key] of attempts) {
      assert.equal(await curl(direct, ...as(file, key)), 'certificate_refused', file)
    }
  })

  it('proves nothing over plain HTTP, and by no header of its own making', async () => {
    const header = (name: string, value: string) => ['--header', `${name}: ${value}`]
    const alice = encodeURIComponent(shop.pem('alice', 'issuing'))
    const forged = [...header('X-Client-Cert', alice), ...header('X-Proxy-Proof', proof)]
    assert.equal(await curl(plain, ...forged), 'no TLS')
    assert.equal(await curl(direct, ...forged), 'certificate_missing')
  })

  it('proves who the proxy has seen, when it is the proxy and says so', async () => {
    const alice = encodeURIComponent(shop.pem('alice', 'issuing'))
    const certificate = ['--header', `X-Client-Cert: ${alice}`]
    const proven = ['--header', `X-Proxy-Proof: ${proof}`]
    const proxy = ['--interface', '127.0.0.2']
    assert.equal(await curl(plain, ...proxy, ...proven, ...certificate), 'alice')
    assert.equal(await curl(plain, ...proxy, ...proven), 'certificate_missing')
    assert.equal(await curl(plain, ...proxy, ...certificate), 'certificate_refused')
    assert.equal(
      await curl(direct, ...proxy, ...proven, ...as('alice-chain', 'alice')),
      'certificate_missing',
    )
  })
})

async function withoutCurl(): Promise<string | false> {
  try {
    await run('curl', ['--version'])
    return false
  } catch {
    return 'the curl command is not installed: no foreign client to test with'
  }
}
