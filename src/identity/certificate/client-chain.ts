import { BlockList, isIP } from 'node:net'
import type { HttpRequest } from '../../http.ts'
import { Secret } from '../../secret.ts'
import { IdentityError } from '../identity-error.ts'
import { readBase64, readPem } from './pem.ts'

/** A proxy that ends TLS for us and says whose certificate it has seen, as configured. */
export type CertificateProxy = Readonly<{
  /** Addresses and networks (CIDR) of the proxies themselves, as the other end of the connection. */
  addresses: readonly string[]
  /** The header that carries the leaf, or all of the chain with the leaf first. */
  certificateHeader: string
  /** A header with further certificates. */
  chainHeader?: string | undefined
  /**
   * `pem`: PEM, percent-encoded (nginx's `$ssl_client_escaped_cert`). `base64`: DER in base64, several with commas
   * between them, each with colons around it or without (RFC 9440, HAProxy, Traefik).
   */
  format: 'pem' | 'base64'
  /** The header in which the proxy proves that it is the proxy. It must overwrite what clients send under this name. */
  proofHeader: string
  proof: Secret
}>

/**
 * The certificates that the client presented, DER, the leaf first. Empty: it had none. `undefined`: the client speaks
 * to us without TLS, so there was no way to present one.
 * @throws {IdentityError} `certificate_refused` for a request from the proxy that does not prove itself
 */
export type ReadClientChain = (
  request: Pick<HttpRequest, 'headers' | 'peer' | 'secure' | 'clientCertificates'>,
) => readonly Buffer[] | undefined

/** @throws {TypeError} when the proxy's settings make no sense */
export function createClientChainReader(proxy?: CertificateProxy): ReadClientChain {
  const isProxy = proxy === undefined ? () => false : checkProxy(proxy)
  return (request) => {
    // What the proxy itself may present over TLS is the proxy's, never its client's.
    if (proxy !== undefined && isProxy(request.peer)) return readForwarded(request.headers, proxy)
    return request.secure ? (request.clientCertificates?.() ?? []) : undefined
  }
}

function checkProxy(proxy: CertificateProxy): (peer: string | undefined) => boolean {
  const names = [proxy.certificateHeader, proxy.proofHeader, proxy.chainHeader ?? 'absent']
  if (names.some((name) => !/^[A-Za-z0-9-]+$/.test(name)))
    throw new TypeError('a header has a name of letters, digits and hyphens')
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    throw new TypeError(
      'certificateHeader, chainHeader and proofHeader are not three different ones',
    )
  }
  if (!/^[\x21-\x7e]{16,}$/.test(proxy.proof.reveal())) {
    throw new TypeError('proof: 16 or more characters that a header can carry are needed')
  }
  if (proxy.addresses.length === 0) throw new TypeError('addresses: there are none')
  const addresses = new BlockList()
  for (const entry of proxy.addresses) {
    const [address = '', bits] = entry.split('/')
    const family = familyOf(address)
    if (family === undefined) throw new TypeError(`addresses: ${entry} is none`)
    if (bits === undefined) addresses.addAddress(address, family)
    else addresses.addSubnet(address, /^\d+$/.test(bits) ? Number(bits) : -1, family)
  }
  return (peer = '') => {
    const family = familyOf(peer)
    return family !== undefined && addresses.check(peer, family)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  return ({ 4: 'ipv4', 6: 'ipv6' } as const)[isIP(address)]
}

function readForwarded(
  headers: HttpRequest['headers'],
  proxy: CertificateProxy,
): readonly Buffer[] {
  const proof = readOnce(headers, proxy.proofHeader)
  if (proof === undefined || !new Secret(proof).equals(proxy.proof)) {
    throw refusedProxy('The proxy in front of this server does not prove itself')
  }
  const { chainHeader } = proxy
  const leaf = readOnce(headers, proxy.certificateHeader)
  const issuers = chainHeader === undefined ? undefined : readOnce(headers, chainHeader)
  // A proxy that has seen no certificate may leave the other header as the client has sent it: its first one is nobody's.
  if (!leaf) return []
  try {
    return [leaf, issuers].flatMap((text) => (text ? decode(text, proxy.format) : []))
  } catch (cause) {
    throw refusedProxy('The certificate that the proxy has sent cannot be read', cause)
  }
}

/** A header that comes twice may be the proxy's and the client's own. */
function readOnce(headers: HttpRequest['headers'], name: string): string | undefined {
  const found = headers.filter(([key]) => key.toLowerCase() === name.toLowerCase())
  if (found.length > 1) throw refusedProxy(`The header ${name} came more than once`)
  return found[0]?.[1]
}

function decode(text: string, format: CertificateProxy['format']): readonly Buffer[] {
  if (format === 'pem') return readPem(decodeURIComponent(text), 'CERTIFICATE')
  return text.split(',').map((item) => readBase64(item.trim().replace(/^:(.*):$/, '$1')))
}

function refusedProxy(message: string, cause?: unknown): IdentityError {
  return new IdentityError('certificate_refused', message, { cause })
}
