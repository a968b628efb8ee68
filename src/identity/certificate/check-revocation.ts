import type { Certificate } from './certificate.ts'
import { refused } from './chain.ts'
import type { RevocationList } from './revocation-list.ts'

/** How strict revocation lists are asked. */
export type RevocationRule = Readonly<{
  /** `chain`: all certificates below the anchor have to be covered by a list. `leaf`: others only where a list is there. */
  scope: 'chain' | 'leaf'
  /** A list that has expired serves on. What it revokes is revoked either way. */
  allowStale: boolean
}>

/** A list made on a machine whose clock is ahead of ours. */
const skewMs = 300_000

/**
 * Each certificate has to be covered by a list of its issuer, signed by it and not out of date, and to stand on none.
 * @throws {IdentityError} `certificate_refused`
 */
export function checkRevocation(
  chain: readonly Certificate[],
  lists: readonly RevocationList[],
  { scope, allowStale }: RevocationRule,
  now: Date,
): void {
  for (const [index, certificate] of chain.slice(0, -1).entries()) {
    const issuer = chain[index + 1]
    const ofIssuer = lists.filter((list) => issuer !== undefined && isBy(list, issuer))
    if (ofIssuer.some(({ revoked }) => revoked.has(certificate.serial))) {
      throw refused('The client certificate, or an authority in its chain, has been revoked', {
        subject: certificate.subject.text,
        serial: certificate.serial,
      })
    }
    const isCovered = ofIssuer.some((list) => isCurrent(list, allowStale, now))
    if (isCovered || (scope === 'leaf' && index > 0 && ofIssuer.length === 0)) continue
    throw refused('It cannot be told whether the client certificate has been revoked', {
      subject: certificate.subject.text,
      issuer: certificate.issuer.text,
      reason: ofIssuer.length === 0 ? 'no revocation list of the issuer' : 'out of date',
    })
  }
}

function isBy(list: RevocationList, { subject, keyUsage, x509 }: Certificate): boolean {
  if (!list.issuer.equals(subject.bytes) || keyUsage?.has('cRLSign') === false) return false
  return list.isSignedBy(x509.publicKey)
}

/** In time, with an end; without one nobody could tell that a newer list had been held back. */
export function isCurrent(list: RevocationList, allowStale: boolean, now: Date): boolean {
  const time = now.getTime()
  if (time + skewMs < list.thisUpdate.getTime()) return false
  return allowStale || (list.nextUpdate !== undefined && time < list.nextUpdate.getTime())
}
