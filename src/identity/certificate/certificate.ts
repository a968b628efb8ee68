import { X509Certificate } from 'node:crypto'
import {
  children,
  expectTag,
  readBitString,
  readBoolean,
  readCount,
  readDer,
  readInteger,
  readObjectIdentifier,
  tags,
  type Element,
} from './der.ts'
import { readAlgorithm, readExtensions, readText, readTime, type Extension } from './der-values.ts'
import { readName, type DistinguishedName } from './distinguished-name.ts'

/** What we look at of a certificate (RFC 5280). Nothing of it is proven by its being read. */
export type Certificate = Readonly<{
  /** The same bytes for `node:crypto`, which verifies signatures. */
  x509: X509Certificate
  subject: DistinguishedName
  issuer: DistinguishedName
  /** Lower-case hex of the signed integer: what a revocation list names. */
  serial: string
  notBefore: Date
  notAfter: Date
  /** Whether its own signature is made by an algorithm that we take. */
  hasStrongSignature: boolean
  hasStrongKey: boolean
  isCa: boolean
  /** How many CA certificates may stand below this one. */
  pathLength: number
  /** Absent: the certificate does not say. */
  keyUsage?: ReadonlySet<KeyUsage>
  /** Absent: the certificate does not say. */
  extendedKeyUsage?: ReadonlySet<string>
  dnsNames: readonly string[]
  uris: readonly string[]
  /** Extensions which restrict the certificate in ways that are not followed here. */
  unfollowed: readonly string[]
}>

type KeyUsage = 'digitalSignature' | 'keyCertSign' | 'cRLSign'

const basicConstraints = '2.5.29.19'
const keyUsage = '2.5.29.15'
const extendedKeyUsage = '2.5.29.37'
const subjectAltName = '2.5.29.17'
const nameConstraints = '2.5.29.30'
/** Without a policy demanded by us, the policies that a certificate was issued under decide nothing. */
const certificatePolicies = '2.5.29.32'
const followed = new Set([
  basicConstraints,
  keyUsage,
  extendedKeyUsage,
  subjectAltName,
  certificatePolicies,
])

/** Of a certificate that anybody means; a stranger's parts end up in logs and claims. */
const longestBytes = 16_384

/** Without extensions, as `openssl x509 -req` makes one when no extensions are asked for: nothing says what it is for. */
export class OldCertificateError extends SyntaxError {}

/** @throws {Error} for anything that is not exactly one certificate of version 3 in DER */
export function parseCertificate(der: Buffer): Certificate {
  if (der.length > longestBytes) throw new SyntaxError('a certificate of too many bytes')
  const [body, outerAlgorithm, , ...rest] = children(readDer(der))
  if (rest.length > 0) throw new SyntaxError('DER: no certificate')
  const [version, serial, algorithm, issuer, validity, subject, , ...optional] = children(
    expectTag(body, tags.sequence),
  )
  if (version?.tag !== 0xa0 || readCount(onlyChild(version)) !== 2) {
    throw new OldCertificateError('a certificate that is not of version 3')
  }
  if (outerAlgorithm?.bytes.equals(expectTag(algorithm, tags.sequence).bytes) !== true) {
    throw new SyntaxError('a certificate with two signature algorithms')
  }
  const [notBefore, notAfter] = children(expectTag(validity, tags.sequence))
  const extensions = optional.find(({ tag }) => tag === 0xa3)
  const x509 = readX509(der)
  return {
    x509,
    serial: readInteger(serial),
    issuer: readName(expectTag(issuer, tags.sequence)),
    subject: readName(expectTag(subject, tags.sequence)),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    hasStrongSignature: readAlgorithm(algorithm) !== undefined,
    hasStrongKey: isStrongKey(x509),
    ...readFacts(extensions === undefined ? new Map() : readExtensions(onlyChild(extensions))),
  }
}

/**
 * OpenSSL's reader, which goes by other rules than ours: Node looks for PEM first, anywhere in the bytes. A certificate
 * that its holder made, with somebody's public one as PEM in an extension, would have the names of the one and the
 * signature of the other.
 */
function readX509(der: Buffer): X509Certificate {
  const x509 = new X509Certificate(der)
  if (x509.raw.equals(der)) return x509
  throw new SyntaxError('a certificate that reads in two ways')
}

type Facts = Pick<
  Certificate,
  'isCa' | 'pathLength' | 'keyUsage' | 'extendedKeyUsage' | 'dnsNames' | 'uris' | 'unfollowed'
>

function readFacts(extensions: ReadonlyMap<string, Extension>): Facts {
  const valueOf = (oid: string) => extensions.get(oid)?.value
  const usage = valueOf(keyUsage)
  const extended = valueOf(extendedKeyUsage)
  return {
    ...readBasicConstraints(valueOf(basicConstraints)),
    ...(usage && { keyUsage: readKeyUsage(usage) }),
    ...(extended && { extendedKeyUsage: new Set(children(extended).map(readObjectIdentifier)) }),
    ...readAltNames(valueOf(subjectAltName)),
    unfollowed: [...extensions]
      .filter(([oid, { critical }]) => oid === nameConstraints || (critical && !followed.has(oid)))
      .map(([oid]) => oid),
  }
}

function readBasicConstraints(value: Element | undefined): Pick<Facts, 'isCa' | 'pathLength'> {
  const parts = value === undefined ? [] : children(value)
  const [first] = parts
  const isCa = first?.tag === tags.boolean && readBoolean(first)
  const [length, ...rest] = first?.tag === tags.boolean ? parts.slice(1) : parts
  if (rest.length > 0) throw new SyntaxError('DER: no basic constraints')
  return { isCa, pathLength: length === undefined ? Infinity : readCount(length) }
}

const keyUsageBits: readonly (readonly [KeyUsage, number])[] = [
  ['digitalSignature', 0x80],
  ['keyCertSign', 0x04],
  ['cRLSign', 0x02],
]

function readKeyUsage(value: Element): ReadonlySet<KeyUsage> {
  const [first = 0] = readBitString(value).bytes
  return new Set(keyUsageBits.filter(([, bit]) => (first & bit) !== 0).map(([name]) => name))
}

/** GeneralNames of RFC 5280 section 4.2.1.6: tag 2 is a DNS name, tag 6 a URI. */
function readAltNames(value: Element | undefined): Pick<Facts, 'dnsNames' | 'uris'> {
  const names = value === undefined ? [] : children(value)
  const textsOf = (wanted: number) =>
    names
      .filter(({ tag }) => tag === wanted)
      .map((name) => readText({ ...name, tag: tags.ia5String }))
  return { dnsNames: textsOf(0x82).map((name) => name.toLowerCase()), uris: textsOf(0x86) }
}

const curves = ['prime256v1', 'secp384r1', 'secp521r1']

/** RSA from 2048 bits on, and not so long that one signature would hold everybody up. */
function isStrongKey({ publicKey }: X509Certificate): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey
  const { modulusLength = 0, namedCurve = '' } = details ?? {}
  if (type === 'rsa' || type === 'rsa-pss') return modulusLength >= 2048 && modulusLength <= 8192
  return type === 'ec' ? curves.includes(namedCurve) : type === 'ed25519' || type === 'ed448'
}

function onlyChild(element: Element): Element {
  const [child, ...rest] = children(element, element.tag)
  if (child === undefined || rest.length > 0) throw new SyntaxError('DER: one element was expected')
  return child
}
