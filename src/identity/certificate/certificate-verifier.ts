import { IdentityError } from '../identity-error.ts'
import { mint } from '../principal.ts'
import type { Principal, Verifier } from '../types.ts'
import { OldCertificateError, parseCertificate, type Certificate } from './certificate.ts'
import { checkLeaf, findChain, mostIntermediates, refused } from './chain.ts'
import { checkRevocation, type RevocationRule } from './check-revocation.ts'
import { isSpiffeId } from './name-pattern.ts'
import { claimsOf, namesOf } from './names.ts'
import { compileRules, type CertificateMapping, type CertificateRule } from './rules.ts'
import {
  TrustFiles,
  type CertificateEvent,
  type CertificateStatus,
  type Trust,
} from './trust-files.ts'

/** How client certificates are judged, as configured. Whatever is left out has the stated default. */
export type CertificateSettings = Readonly<{
  /** What principals call it; default `tls`, so that `aws:userid` of `CN=alice` is `tls:alice` as at MinIO. */
  name?: string | undefined
  /** PEM files: the only authorities that are trusted for clients. Read again when they change. */
  caFiles: readonly string[]
  /** The first whose conditions hold says what a certificate may have. None: the certificate is refused. */
  rules: readonly CertificateRule[]
  /** Revocation lists, PEM or DER, read again when they change. Where there are any, a list is demanded. */
  crlFiles?: readonly string[] | undefined
  /** Which certificates have to be covered by a list: all below the anchor (the default), or the leaf alone. */
  crlScope?: 'chain' | 'leaf' | undefined
  /** The status of certificates is never asked for over the network; there is no other value. */
  ocsp?: 'off' | undefined
  /** Takes revocation lists that are out of date: what was revoked since is let in. */
  insecureStaleCrl?: boolean | undefined
  /** Asks nobody who issued a certificate: anybody can make one with any name. Validity and usage are still checked. */
  insecureSkipVerify?: boolean | undefined
}>

type CertificateOptions = CertificateSettings &
  Readonly<{
    clock: () => Date
    /** Is told when the files stop to be of use, with the reason, and when they are again. */
    log?: ((event: CertificateEvent) => void) | undefined
  }>

export interface CertificateVerifier extends Verifier {
  /** What the matched rule gives to a principal that this verifier has made. */
  mappingOf(principal: Principal): CertificateMapping | undefined
  /** How it was when the files were last looked at. */
  status(): CertificateStatus
  /** Looks at the files in the background, so that their state is known before somebody comes with a certificate. */
  start(): void
  close(): void
}

/** A path that holds, and the files in which its end stands. */
type Verified = Readonly<{ chain: readonly Certificate[]; caFiles: readonly string[] }>

/**
 * Verifies X.509 client certificates (RFC 5280) whose private key the TLS handshake has proven, for the first one of
 * the chain alone.
 * @throws {TypeError} when the settings make no sense
 */
export function createCertificateVerifier(options: CertificateOptions): CertificateVerifier {
  const settings = checkSettings(options)
  const { name, revocation } = settings
  const { clock, log = () => {} } = options
  const findRule = compileRules(settings.rules)
  const { allowStale } = revocation
  const { crlFiles, insecureSkipVerify } = settings
  const caFiles = insecureSkipVerify ? [] : settings.caFiles
  const files = new TrustFiles({ name, caFiles, crlFiles, allowStale, clock, log })
  const mappings = new WeakMap<Principal, CertificateMapping>()
  return {
    async verify(evidence, now) {
      if (evidence.kind !== 'certificate') return undefined
      const [leaf, ...others] = parseChain(evidence.chain)
      checkLeaf(leaf, now)
      const { chain, caFiles: under } = insecureSkipVerify
        ? { chain: [leaf], caFiles: [] }
        : verifyChain(leaf, others, await files.read().catch(unavailable), revocation, now)
      checkUris(leaf)
      const matched = findRule({ ...namesOf(leaf), caFiles: under })
      if (matched === undefined) {
        throw refused('No rule gives anything to the client certificate', {
          subject: leaf.subject.text,
          issuer: leaf.issuer.text,
        })
      }
      const principal = mint({
        kind: 'certificate',
        provider: name,
        issuer: leaf.issuer.text,
        subject: matched.subject,
        displayName: leaf.subject.commonName || matched.subject,
        groups: [],
        claims: claimsOf(leaf),
        expiresAt: earliestEnd(chain),
      })
      mappings.set(principal, matched.mapping)
      return principal
    },
    mappingOf: (principal) => mappings.get(principal),
    status: () => files.status(),
    start: () => files.start(),
    close: () => files.close(),
  }
}

type Settings = Readonly<{
  name: string
  caFiles: readonly string[]
  rules: readonly CertificateRule[]
  crlFiles: readonly string[]
  revocation: RevocationRule
  insecureSkipVerify: boolean
}>

function checkSettings(options: CertificateSettings): Settings {
  const { name = 'tls', insecureSkipVerify = false, crlFiles = [], caFiles } = options
  if (name === '' || name === 'internal')
    throw new TypeError('name: empty, or that of our own users')
  if (caFiles.length === 0 && !insecureSkipVerify) {
    throw new TypeError('caFiles: there are none, so nobody could vouch for a certificate')
  }
  if (insecureSkipVerify && crlFiles.length > 0) {
    throw new TypeError(
      'crlFiles: without a verified chain they are not asked (insecureSkipVerify)',
    )
  }
  for (const [index, { caFile }] of options.rules.entries()) {
    if (caFile === undefined || (caFiles.includes(caFile) && !insecureSkipVerify)) continue
    throw new TypeError(`rules[${index}]: caFile is none of caFiles, so that nobody would fit`)
  }
  return {
    name,
    caFiles,
    rules: options.rules,
    crlFiles,
    revocation: {
      scope: options.crlScope ?? 'chain',
      allowStale: options.insecureStaleCrl ?? false,
    },
    insecureSkipVerify,
  }
}

/**
 * TLS proves the possession of the first certificate's key and of no other one's, so the first is the leaf: taking "the
 * one that is no CA" out of the list would let anybody in who owns a copy of somebody's certificate.
 */
function parseChain(chain: readonly Buffer[]): readonly [Certificate, ...Certificate[]] {
  if (chain.length > mostIntermediates + 1) {
    throw new IdentityError(
      'too_many_certificates',
      `More than ${mostIntermediates} certificates were sent along with the client certificate`,
    )
  }
  const [leaf, ...others] = chain.map(parsePresented)
  if (leaf === undefined) {
    throw new IdentityError(
      'certificate_missing',
      'A client certificate is needed, and none was sent',
    )
  }
  if (others.some(({ isCa }) => !isCa)) {
    throw refused('More than one certificate that is not of an authority was sent')
  }
  return [leaf, ...others]
}

function parsePresented(der: Buffer): Certificate {
  try {
    return parseCertificate(der)
  } catch (cause) {
    const message =
      cause instanceof OldCertificateError
        ? 'A certificate that was sent is not of version 3: have it made with extensions, extendedKeyUsage=clientAuth among them'
        : 'A certificate that was sent cannot be read'
    throw new IdentityError('certificate_refused', message, {
      detail: { reason: messageOf(cause) },
      cause,
    })
  }
}

function verifyChain(
  leaf: Certificate,
  others: readonly Certificate[],
  { authorities, lists }: Trust,
  rule: RevocationRule,
  now: Date,
): Verified {
  const anchors = authorities.map(({ certificate }) => certificate)
  const chain = findChain(leaf, others, anchors, now)
  if (lists !== undefined) checkRevocation(chain, lists, rule, now)
  const end = chain.at(-1)
  const caFiles = authorities
    .filter(({ certificate }) => certificate.x509.raw.equals(end?.x509.raw ?? Buffer.alloc(0)))
    .map(({ file }) => file)
  return { chain, caFiles }
}

function unavailable(cause: unknown): never {
  throw new IdentityError(
    'provider_unavailable',
    'Client certificates cannot be judged here now; try again',
    { detail: { reason: messageOf(cause) }, cause },
  )
}

/** X.509-SVID section 2: a SPIFFE id stands alone. With two of them, two readers would see two workloads. */
function checkUris({ uris, subject }: Certificate): void {
  const spiffe = uris.filter((uri) => /^spiffe:/i.test(uri))
  if (spiffe.length === 0 || (uris.length === 1 && spiffe.every(isSpiffeId))) return
  throw refused('The client certificate has no single, sound SPIFFE id', { subject: subject.text })
}

function earliestEnd(chain: readonly Certificate[]): Date {
  return new Date(Math.min(...chain.map(({ notAfter }) => notAfter.getTime())))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
