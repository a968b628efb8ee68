import { IdentityError } from '../identity-error.ts'
import { mint } from '../principal.ts'
import type { Principal, Verifier } from '../types.ts'
import { parseCertificate, type Certificate } from './certificate.ts'
import { checkLeaf, findChain, mostIntermediates, refused } from './chain.ts'
import { checkRevocation, type RevocationRule } from './check-revocation.ts'
import { createFreshFiles, type FreshFiles } from './fresh-files.ts'
import { isSpiffeId } from './name-pattern.ts'
import { claimsOf, namesOf } from './names.ts'
import { readPemOrDer } from './pem.ts'
import { parseRevocationList, type RevocationList } from './revocation-list.ts'
import { compileRules, type CertificateMapping, type CertificateRule } from './rules.ts'

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

type CertificateOptions = CertificateSettings & Readonly<{ clock: () => Date }>

type CertificateStatus = Readonly<{
  provider: string
  ready: boolean
  /** Why no certificate can be judged now. */
  error?: string
}>

export interface CertificateVerifier extends Verifier {
  /** What the matched rule gives to a principal that this verifier has made. */
  mappingOf(principal: Principal): CertificateMapping | undefined
  /** Reads the files when they have changed. */
  status(): Promise<CertificateStatus>
}

type Files = Readonly<{
  anchors: FreshFiles<Certificate>
  lists: FreshFiles<RevocationList> | undefined
}>

/**
 * Verifies X.509 client certificates (RFC 5280) whose private key the TLS handshake has proven, for the first one of
 * the chain alone.
 * @throws {TypeError} when the settings make no sense
 */
export function createCertificateVerifier(options: CertificateOptions): CertificateVerifier {
  const settings = checkSettings(options)
  const { name, revocation } = settings
  const { clock } = options
  const findRule = compileRules(settings.rules)
  const files: Files = {
    anchors: createFreshFiles(settings.caFiles, parseAnchors, clock),
    lists:
      settings.crlFiles.length > 0
        ? createFreshFiles(settings.crlFiles, parseLists, clock)
        : undefined,
  }
  const mappings = new WeakMap<Principal, CertificateMapping>()
  return {
    async verify(evidence, now) {
      if (evidence.kind !== 'certificate') return undefined
      const [leaf, ...others] = parseChain(evidence.chain)
      checkLeaf(leaf, now)
      const chain = settings.insecureSkipVerify
        ? [leaf]
        : await verifyChain(leaf, others, files, revocation, now)
      checkUris(leaf)
      const matched = findRule(namesOf(leaf))
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
    async status() {
      try {
        await Promise.all([settings.caFiles.length > 0 && files.anchors(), files.lists?.()])
        return { provider: name, ready: true }
      } catch (error) {
        return { provider: name, ready: false, error: messageOf(error) }
      }
    },
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
    throw new IdentityError('certificate_refused', 'A certificate that was sent cannot be read', {
      detail: { reason: messageOf(cause) },
      cause,
    })
  }
}

async function verifyChain(
  leaf: Certificate,
  others: readonly Certificate[],
  files: Files,
  rule: RevocationRule,
  now: Date,
): Promise<readonly Certificate[]> {
  const [anchors, lists] = await Promise.all([files.anchors(), files.lists?.()]).catch(unavailable)
  const chain = findChain(leaf, others, anchors, now)
  if (lists !== undefined) checkRevocation(chain, lists, rule, now)
  return chain
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

function parseAnchors(bytes: Buffer): readonly Certificate[] {
  const anchors = readPemOrDer(bytes, 'CERTIFICATE').map(parseCertificate)
  const strange = anchors.find(({ isCa }) => !isCa)
  if (strange === undefined) return anchors
  throw new TypeError(`${strange.subject.text} is no certificate authority`)
}

function parseLists(bytes: Buffer): readonly RevocationList[] {
  return readPemOrDer(bytes, 'X509 CRL').map(parseRevocationList)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
