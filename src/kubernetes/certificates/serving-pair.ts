import { createPrivateKey, X509Certificate } from 'node:crypto'

/** A certificate and its key, which fit each other. */
export type ServingPair = Readonly<{
  /** PEM: the leaf first. */
  cert: Buffer
  /** PEM. */
  key: Buffer
  leaf: X509Certificate
  notBefore: Date
  notAfter: Date
}>

/** Most bytes of either; chains have some ten thousand. */
const mostBytes = 256 * 1024

/** A pair, or in words what is wrong with it. Whether it is valid now is not asked here. */
export function readServingPair(
  cert: Buffer | undefined,
  key: Buffer | undefined,
): ServingPair | string {
  if (cert === undefined || cert.length === 0) return 'there is no certificate'
  if (key === undefined || key.length === 0) return 'there is no private key'
  if (cert.length > mostBytes || key.length > mostBytes) return 'it is too long to be a certificate'
  const leaf = readCertificate(cert)
  if (leaf === undefined) return 'the certificate is not PEM of X.509'
  const fits = fitsKey(leaf, key)
  if (fits === undefined) return 'the private key is not PEM without a passphrase'
  if (!fits) return 'certificate and private key do not belong together'
  const { validFromDate: notBefore, validToDate: notAfter } = leaf
  return { cert, key, leaf, notBefore, notAfter }
}

function readCertificate(pem: Buffer): X509Certificate | undefined {
  try {
    return pem.includes('-----BEGIN CERTIFICATE-----') ? new X509Certificate(pem) : undefined
  } catch {
    return undefined
  }
}

/** `undefined`: the key cannot be read. What the error says may hold parts of it, so it goes nowhere. */
function fitsKey(leaf: X509Certificate, key: Buffer): boolean | undefined {
  try {
    return leaf.checkPrivateKey(createPrivateKey(key))
  } catch {
    return undefined
  }
}

/** Each of the certificates in PEM text; those that are none are left out. */
export function readBundle(pem: string): readonly X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return texts.flatMap((text) => readCertificate(Buffer.from(text)) ?? [])
}

/** The names that a client would find missing. */
export function missingNames(leaf: X509Certificate, names: readonly string[]): readonly string[] {
  return names.filter((name) => leaf.checkHost(name, { subject: 'never' }) === undefined)
}

export function isValidAt({ notBefore, notAfter }: ServingPair, now: Date): boolean {
  return notBefore <= now && now < notAfter
}

/** When two thirds of its life are over. */
export function renewalOf({ notBefore, notAfter }: ServingPair): Date {
  const life = notAfter.getTime() - notBefore.getTime()
  return new Date(notBefore.getTime() + Math.floor((life * 2) / 3))
}

/** When a tenth of its life is left: then any certificate that can be had is better than none. */
export function lastCallOf({ notBefore, notAfter }: ServingPair): Date {
  const life = notAfter.getTime() - notBefore.getTime()
  return new Date(notBefore.getTime() + Math.floor((life * 9) / 10))
}

export function isIssuedBy(leaf: X509Certificate, authority: X509Certificate): boolean {
  return leaf.checkIssued(authority) && leaf.verify(authority.publicKey)
}
