import { IdentityError } from '../identity-error.ts'
import type { Certificate } from './certificate.ts'

/** `id-kp-clientAuth`, RFC 5280 section 4.2.1.12. */
const clientAuth = '1.3.6.1.5.5.7.3.2'
const anyExtendedKeyUsage = '2.5.29.37.0'

/** Signatures that one request may make us verify: presented certificates can be made to fit each other in many ways. */
const mostSignatures = 32

/** CA certificates between a leaf and its anchor, at most. */
export const mostIntermediates = 10

/**
 * The leaf is what it says, in time, and made for clients. A certificate without an extended key usage is refused: TLS
 * libraries take it for any purpose, so whoever holds a server's certificate would be a client with its name.
 * @throws {IdentityError} `certificate_refused`
 */
export function checkLeaf(leaf: Certificate, now: Date): void {
  const problem = leafProblem(leaf, now)
  if (problem !== undefined) throw refused(`The client certificate ${problem}`)
}

function leafProblem(leaf: Certificate, now: Date): string | undefined {
  if (leaf.isCa) return 'is that of a certificate authority'
  if (leaf.extendedKeyUsage?.has(clientAuth) !== true) {
    return 'does not name client authentication in its extended key usage'
  }
  if (leaf.keyUsage?.has('digitalSignature') === false) return 'is not made for signatures'
  return problemOf(leaf, now)
}

/**
 * The certificates from the leaf up to one of the anchors, that one included (RFC 5280 section 6, for names without
 * constraints and without demanded policies). Each is issued by the next one, which may do so.
 * @throws {IdentityError} `certificate_refused` when there is no such path
 */
export function findChain(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  anchors: readonly Certificate[],
  now: Date,
): readonly Certificate[] {
  const problems = new Set<string>()
  let signatures = 0
  const mayIssue = (path: readonly Certificate[], issuer: Certificate): boolean => {
    const child = path.at(-1)
    if (child === undefined || !child.issuer.bytes.equals(issuer.subject.bytes)) return false
    const problem = issuerProblem(path, issuer, now)
    if (problem !== undefined) problems.add(`${issuer.subject.text}: ${problem}`)
    if (problem !== undefined || signatures >= mostSignatures) return false
    signatures += 1
    return child.x509.checkIssued(issuer.x509) && child.x509.verify(issuer.x509.publicKey)
  }
  const isWellSigned = ({ hasStrongSignature, subject }: Certificate): boolean => {
    if (!hasStrongSignature)
      problems.add(`${subject.text}: is signed in a way that is not taken here`)
    return hasStrongSignature
  }
  const extend = (path: readonly Certificate[]): readonly Certificate[] | undefined => {
    const anchor = anchors.find((candidate) => mayIssue(path, candidate))
    if (anchor !== undefined) return [...path, anchor]
    for (const next of intermediates) {
      if (path.includes(next) || !isWellSigned(next) || !mayIssue(path, next)) continue
      const found = extend([...path, next])
      if (found !== undefined) return found
    }
    return undefined
  }
  const chain = isWellSigned(leaf) ? extend([leaf]) : undefined
  if (chain !== undefined) return chain
  throw refused(
    'No certificate authority that is trusted here vouches for the client certificate',
    {
      subject: leaf.subject.text,
      issuer: leaf.issuer.text,
      problems: [...problems],
    },
  )
}

function issuerProblem(
  [, ...below]: readonly Certificate[],
  issuer: Certificate,
  now: Date,
): string | undefined {
  if (!issuer.isCa) return 'is no certificate authority'
  if (issuer.keyUsage?.has('keyCertSign') === false) return 'may not sign certificates'
  const usage = issuer.extendedKeyUsage
  if (usage && !usage.has(clientAuth) && !usage.has(anyExtendedKeyUsage)) {
    return 'may not issue certificates for clients'
  }
  // Self-issued ones, made when a CA changes its key, do not count (RFC 5280 section 4.2.1.9).
  const counted = below.filter(({ subject, issuer: by }) => !subject.bytes.equals(by.bytes))
  if (counted.length > issuer.pathLength) return 'may not have so many authorities below it'
  return problemOf(issuer, now)
}

function problemOf(certificate: Certificate, now: Date): string | undefined {
  if (now < certificate.notBefore) return 'is not valid yet'
  if (now >= certificate.notAfter) return 'has expired'
  if (!certificate.hasStrongKey) return 'has a key that is not taken here'
  const [extension] = certificate.unfollowed
  if (extension !== undefined)
    return `is restricted in a way that is not followed here (${extension})`
  return undefined
}

export function refused(
  message: string,
  detail: Readonly<Record<string, unknown>> = {},
): IdentityError {
  return new IdentityError('certificate_refused', message, { detail })
}
