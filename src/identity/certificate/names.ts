import type { Certificate } from './certificate.ts'

/** What a verified certificate says of its holder and its issuer. */
export type CertificateNames = Readonly<{
  commonName: string
  organizations: readonly string[]
  organizationalUnits: readonly string[]
  /** In lower case. */
  dnsNames: readonly string[]
  uris: readonly string[]
  issuerCommonName: string
}>

export function namesOf({ subject, issuer, dnsNames, uris }: Certificate): CertificateNames {
  const { commonName, organizations, organizationalUnits } = subject
  const issuerCommonName = issuer.commonName
  return { commonName, organizations, organizationalUnits, dnsNames, uris, issuerCommonName }
}

/** Names that policies may use. What the certificate does not say is not there. */
export function claimsOf(certificate: Certificate): ReadonlyMap<string, unknown> {
  const names = namesOf(certificate)
  const claims: readonly (readonly [string, string | readonly string[]])[] = [
    ['cn', names.commonName],
    ['issuer_cn', names.issuerCommonName],
    ['organization', names.organizations],
    ['organizational_unit', names.organizationalUnits],
    ['san_dns', names.dnsNames],
    ['san_uri', names.uris],
    ['serial', certificate.serial],
  ]
  return new Map(claims.filter(([, value]) => value.length > 0))
}
