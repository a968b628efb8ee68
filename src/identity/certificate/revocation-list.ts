import { constants, verify, type KeyObject } from 'node:crypto'
import {
  children,
  expectTag,
  readBitString,
  readDer,
  readIntegerSpan,
  readSpan,
  tags,
  type Element,
} from './der.ts'
import { readAlgorithm, readExtensions, readTime, type SignatureAlgorithm } from './der-values.ts'
import { readName } from './distinguished-name.ts'

/** A certificate revocation list (RFC 5280 section 5). Nothing in it is proven before `isSignedBy` says so. */
export type RevocationList = Readonly<{
  /** The signed bytes of the issuer's name. */
  issuer: Buffer
  /** The same for people. */
  issuerText: string
  thisUpdate: Date
  /** Absent in lists which do not say when they are out of date. */
  nextUpdate?: Date
  /** Serial numbers as `Certificate.serial` has them. */
  revoked: ReadonlySet<string>
  isSignedBy(publicKey: KeyObject): boolean
}>

/**
 * @throws {SyntaxError} also for a list that is not the whole of what its issuer has revoked (a delta, a part by
 * distribution point, an indirect one): a certificate that is not on it would pass for good
 */
export function parseRevocationList(der: Buffer): RevocationList {
  const [body, algorithm, signature, ...rest] = children(readDer(der))
  const fields = children(expectTag(body, tags.sequence))
  if (rest.length > 0) throw new SyntaxError('DER: no revocation list')
  const versioned = fields[0]?.tag === tags.integer ? fields.slice(1) : fields
  const [innerAlgorithm, issuer, thisUpdate, ...optional] = versioned
  if (algorithm?.bytes.equals(expectTag(innerAlgorithm, tags.sequence).bytes) !== true) {
    throw new SyntaxError('a revocation list with two signature algorithms')
  }
  const signed = { body: expectTag(body, tags.sequence), signature, algorithm }
  const next = optional.find(({ tag }) => tag === tags.utcTime || tag === tags.generalizedTime)
  const extensions = optional.find(({ tag }) => tag === 0xa0)
  if (extensions) checkExtensions(children(extensions, 0xa0)[0])
  return {
    issuer: expectTag(issuer, tags.sequence).bytes,
    issuerText: readName(expectTag(issuer, tags.sequence)).text,
    thisUpdate: readTime(thisUpdate),
    ...(next && { nextUpdate: readTime(next) }),
    revoked: readEntries(optional.find(({ tag }) => tag === tags.sequence)),
    isSignedBy: signatureCheck(signed),
  }
}

/** Each entry is a sequence of serial number, date and perhaps extensions; there may be hundreds of thousands. */
function readEntries(list: Element | undefined): ReadonlySet<string> {
  const revoked = new Set<string>()
  if (list === undefined) return revoked
  const bytes = list.content
  const reasons = new ReasonCheck()
  for (let at = 0; at < bytes.length;) {
    const entry = readSpan(bytes, at)
    const serial = readSpan(bytes, entry.start)
    const date = readSpan(bytes, serial.end)
    if (entry.tag !== tags.sequence || date.end > entry.end) throw new SyntaxError('DER: no entry')
    // The one that is critical here names another issuer, for this entry and all that follow.
    if (date.end < entry.end) reasons.check(bytes.subarray(date.end, entry.end))
    revoked.add(readIntegerSpan(bytes, serial))
    at = entry.end
  }
  return revoked
}

/** What reasons look like is nearly always the same: what has passed once passes again, up to some dozens. */
class ReasonCheck {
  readonly #passed = new Set<string>()

  check(bytes: Buffer): void {
    const text = bytes.toString('latin1')
    if (this.#passed.has(text)) return
    checkExtensions(readDer(bytes))
    if (this.#passed.size < 64) this.#passed.add(text)
  }
}

/** `issuingDistributionPoint` and the delta indicator are always critical. */
function checkExtensions(list: Element | undefined): void {
  const critical = [...readExtensions(expectTag(list, tags.sequence))].find(
    ([, one]) => one.critical,
  )
  if (critical === undefined) return
  throw new SyntaxError(`a revocation list which is not a complete one (${critical[0]})`)
}

type Signed = Readonly<{ body: Element; signature: Element | undefined; algorithm: Element }>

function signatureCheck({ body, signature, algorithm }: Signed): (key: KeyObject) => boolean {
  const how = readAlgorithm(algorithm)
  if (how === undefined) throw new SyntaxError('a revocation list signed by an algorithm of old')
  const { bytes, unused } = readBitString(signature)
  if (unused !== 0) throw new SyntaxError('DER: no signature')
  // Lists are long. The keys that it is asked about are those of authorities that we trust, so there are few.
  const known = new Map<string, boolean>()
  return (key) => {
    const spki = key.export({ type: 'spki', format: 'der' }).toString('base64')
    const isSigned = known.get(spki) ?? isSignature(how, body.bytes, key, bytes)
    known.set(spki, isSigned)
    return isSigned
  }
}

function isSignature(
  { hash, padding }: SignatureAlgorithm,
  data: Buffer,
  key: KeyObject,
  signature: Buffer,
): boolean {
  const pss = {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_AUTO,
  }
  try {
    return verify(hash, data, padding === 'pss' ? pss : key, signature)
  } catch {
    // A key of another kind.
    return false
  }
}
