import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from '../../secret.ts'
import {
  createClientChainReader,
  type CertificateProxy,
  type ReadClientChain,
} from './client-chain.ts'

const leaf = Buffer.from('the leaf, DER')
const issuer = Buffer.from('its issuer, DER')
const pem = (der: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
const proof = 'a-long-shared-secret'
const proxy: CertificateProxy = {
  addresses: ['10.1.0.0/16', '::1'],
  certificateHeader: 'X-Client-Cert',
  chainHeader: 'X-Client-Chain',
  format: 'base64',
  proofHeader: 'X-Proxy-Proof',
  proof: new Secret(proof),
}
type Request = Parameters<ReadClientChain>[0]
const request = (fields: Partial<Request>): Request => ({
  headers: [],
  peer: '10.1.2.3',
  secure: false,
  ...fields,
})
const refused = { code: 'certificate_refused' }

describe('the certificates of a client', () => {
  it('are those of its own TLS connection', () => {
    const read = createClientChainReader()
    const clientCertificates = () => [leaf, issuer]
    assert.deepEqual(read(request({ secure: true, clientCertificates })), [leaf, issuer])
    assert.deepEqual(read(request({ secure: true })), [])
  })

  it('are none that could be presented where there is no TLS', () => {
    assert.equal(
      createClientChainReader()(request({ clientCertificates: () => [leaf] })),
      undefined,
    )
  })

  it('never come from headers, unless a proxy is configured and it is the one that asks', () => {
    const headers = [
      ['X-Client-Cert', leaf.toString('base64')],
      ['X-Proxy-Proof', proof],
    ] as const
    assert.equal(createClientChainReader()(request({ headers })), undefined)
    assert.deepEqual(createClientChainReader()(request({ headers, secure: true })), [])
    const read = createClientChainReader(proxy)
    for (const peer of ['10.2.0.1', '192.0.2.1', '::2', 'nonsense', '']) {
      assert.equal(read(request({ headers, peer })), undefined, peer)
      const own = { secure: true, clientCertificates: () => [issuer] }
      assert.deepEqual(read(request({ headers, peer, ...own })), [issuer], peer)
    }
    assert.equal(read({ headers, secure: false }), undefined)
  })
})

describe('the certificates of a client behind a proxy', () => {
  const read = (headers: Request['headers'], more: Partial<CertificateProxy> = {}, peer = '::1') =>
    createClientChainReader({ ...proxy, ...more })(
      request({ peer, headers: [['X-Proxy-Proof', proof], ...headers] }),
    )

  it('come in base64, with colons around or without (RFC 9440), the chain in a list', () => {
    const [one, two] = [leaf, issuer].map((der) => der.toString('base64'))
    assert.deepEqual(read([['x-client-cert', `:${one}:`]]), [leaf])
    assert.deepEqual(read([['x-client-cert', `${one},${two}`]]), [leaf, issuer])
    const chain = [
      ['x-client-chain', `:${two}:, :${two}:`],
      ['x-client-cert', `${one}`],
    ] as const
    assert.deepEqual(read(chain), [leaf, issuer, issuer])
    assert.deepEqual(read(chain, { chainHeader: undefined }), [leaf])
  })

  it('come as percent-encoded PEM', () => {
    const text = encodeURIComponent(pem(leaf) + pem(issuer))
    assert.deepEqual(read([['x-client-cert', text]], { format: 'pem' }), [leaf, issuer])
  })

  it('are none when the proxy has seen none', () => {
    assert.deepEqual(read([]), [])
    assert.deepEqual(read([['x-client-cert', '']]), [])
    const own = ['x-client-chain', leaf.toString('base64')] as const
    assert.deepEqual(
      read([own]),
      [],
      'what the client itself says of its issuers is no certificate',
    )
    assert.deepEqual(read([['x-client-cert', ''], own]), [])
  })

  it('are refused from a proxy that does not prove itself', () => {
    const reader = createClientChainReader(proxy)
    const certificate = ['X-Client-Cert', leaf.toString('base64')] as const
    const proofs = ['', 'a-long-shared-secre', `${proof} `, proof.toUpperCase()]
    for (const wrong of proofs) {
      const headers = [certificate, ['X-Proxy-Proof', wrong] as const]
      assert.throws(() => reader(request({ headers })), refused)
    }
    assert.throws(() => reader(request({ headers: [certificate] })), refused)
  })

  it('are never those which the proxy itself presents over TLS', () => {
    const reader = createClientChainReader(proxy)
    const own = { secure: true, clientCertificates: () => [leaf] }
    assert.deepEqual(reader(request({ ...own, headers: [['x-proxy-proof', proof]] })), [])
    assert.throws(() => reader(request(own)), refused)
  })

  it('are refused in a header that came twice: one may be the client’s own', () => {
    const one = leaf.toString('base64')
    const doubled = [
      ['x-client-cert', one],
      ['X-Client-Cert', one],
    ] as const
    assert.throws(() => read(doubled), refused)
    assert.throws(() => read([['x-proxy-proof', proof]]), refused)
    assert.throws(
      () => read([...doubled.slice(0, 1), ['x-client-chain', one], ['x-client-chain', one]]),
      refused,
    )
  })

  it('are refused when they cannot be read', () => {
    for (const text of ['hello!', `${leaf.toString('base64')},`, ',', ':', 'YQ', 'YR==']) {
      assert.throws(() => read([['x-client-cert', text]]), refused, text)
    }
    const half = encodeURIComponent(pem(leaf).slice(0, 60))
    for (const text of ['%', 'hello', half, encodeURIComponent(pem(Buffer.alloc(0)))]) {
      assert.throws(() => read([['x-client-cert', text]], { format: 'pem' }), refused, text)
    }
  })

  it('need settings that make sense', () => {
    const wrong: readonly Partial<CertificateProxy>[] = [
      { addresses: [] },
      { addresses: ['everybody'] },
      { addresses: ['10.0.0.0/x'] },
      { addresses: ['10.0.0.0/33'] },
      { proof: new Secret('') },
      { proof: new Secret('short') },
      { proofHeader: '' },
      { proofHeader: 'x-client-cert' },
      { certificateHeader: 'a: b' },
    ]
    for (const more of wrong) {
      assert.throws(() => createClientChainReader({ ...proxy, ...more }), Error, inspect(more))
    }
  })
})
