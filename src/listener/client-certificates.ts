import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** More than anybody follows; one more than that is enough to tell. */
const mostCertificates = 12

/**
 * What the other end presented, in that order. Nothing is taken from our own stores, and nothing is left out because
 * it does not fit.
 */
export function readClientCertificates(socket: Socket): readonly Buffer[] {
  const presented: Buffer[] = []
  if (!(socket instanceof TLSSocket)) return presented
  let certificate = socket.getPeerX509Certificate()
  while (certificate !== undefined && presented.length < mostCertificates) {
    presented.push(certificate.raw)
    certificate = certificate.issuerCertificate
  }
  return presented
}
