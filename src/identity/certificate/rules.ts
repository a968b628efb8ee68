import { isSpiffeId, parseDnsPattern, parseUriPattern, type NamePattern } from './name-pattern.ts'
import type { CertificateNames } from './names.ts'

/**
 * One line of the mapping from certificates to permissions. All conditions have to hold; the names that they are
 * compared with are exact but for the `*` of `dns` and `uri`.
 */
export type CertificateRule = Readonly<{
  /** The common name of the subject. */
  cn?: string | undefined
  /** A DNS name among the alternative names; `*` stands for (a part of) one label. */
  dns?: string | undefined
  /** A URI among the alternative names, SPIFFE ids included; `*` stands for (a part of) one segment of the path. */
  uri?: string | undefined
  /**
   * The common name of the authority that issued the certificate itself. Whoever may make authorities may give them any
   * name: it tells apart those that mean each other well, and `caFile` the others.
   */
  issuerCn?: string | undefined
  /** One of `caFiles`: the chain has to end at an authority that stands in it. */
  caFile?: string | undefined
  organization?: string | undefined
  /** One of the organisational units. */
  ou?: string | undefined
}> &
  CertificateAward

/** What a certificate is worth; exactly one of the three. */
type CertificateAward =
  | Readonly<{ policies: readonly string[]; role?: undefined; policyFrom?: undefined }>
  | Readonly<{ role: string; policies?: undefined; policyFrom?: undefined }>
  /** MinIO's rule: the policy that is called exactly what the common name says, commas and all. Needs no condition. */
  | Readonly<{ policyFrom: 'cn'; policies?: undefined; role?: undefined }>

/** Where a verified certificate's permissions come from. */
export type CertificateMapping =
  | Readonly<{ kind: 'policies'; policies: readonly string[] }>
  | Readonly<{ kind: 'role'; role: string }>

/** What rules look at: the names, and the files in which the authority stands that the chain ends at. */
export type Candidate = CertificateNames & Readonly<{ caFiles: readonly string[] }>

/** `subject`: by what the certificate came in, unambiguous among all certificates. */
export type MatchedRule = Readonly<{ mapping: CertificateMapping; subject: string }>

/** `false`: no match. Else the subject that it stands for, empty when others share the name. */
type Matcher = (candidate: Candidate) => string | false
type CompiledRule = (candidate: Candidate) => MatchedRule | undefined

/**
 * The first rule whose conditions all hold; `undefined`: there is none.
 * @throws {TypeError} naming the first rule that makes no sense, or when there are no rules
 */
export function compileRules(rules: readonly CertificateRule[]): CompiledRule {
  if (rules.length === 0) throw new TypeError('rules: there are none, so no certificate would do')
  const compiled = rules.map((rule, index) => {
    try {
      return compileRule(rule)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new TypeError(`rules[${index}]: ${reason}`, { cause })
    }
  })
  return (names) => {
    for (const rule of compiled) {
      const matched = rule(names)
      if (matched !== undefined) return matched
    }
    return undefined
  }
}

function compileRule(rule: CertificateRule): CompiledRule {
  const award = compileAward(rule)
  const matchers = compileMatchers(rule)
  if (matchers.length === 0 && rule.policyFrom === undefined) {
    throw new TypeError('it has no condition, so every certificate would fit')
  }
  return (names) => {
    const found = matchers.map((match) => match(names))
    const mapping = award(names)
    const subject = found.find((name) => name !== false && name !== '') || fallbackSubject(names)
    if (mapping === undefined || found.includes(false) || !subject) return undefined
    return { mapping, subject }
  }
}

function compileAward(
  rule: CertificateRule,
): (names: CertificateNames) => CertificateMapping | undefined {
  const { policies, role, policyFrom } = rule
  if ([policies, role, policyFrom].filter((award) => award !== undefined).length !== 1) {
    throw new TypeError('exactly one of policies, role and policyFrom is needed')
  }
  if (policies?.length === 0 || policies?.includes('') === true || role === '') {
    throw new TypeError('an empty list or name gives nothing')
  }
  if (policies) return () => ({ kind: 'policies', policies })
  if (role !== undefined) return () => ({ kind: 'role', role })
  return ({ commonName }) =>
    commonName === '' ? undefined : { kind: 'policies', policies: [commonName] }
}

/** The holder's own names first: what a certificate came in by is what it is called. */
function compileMatchers(rule: CertificateRule): readonly Matcher[] {
  const { cn, dns, uri, issuerCn, caFile, organization, ou } = rule
  if ([cn, dns, uri, issuerCn, caFile, organization, ou].includes('')) {
    throw new TypeError('a condition is empty')
  }
  const matchers: Matcher[] = []
  if (dns !== undefined) matchers.push(matchDns(parseDnsPattern(dns)))
  if (uri !== undefined) matchers.push(matchUri(parseUriPattern(uri)))
  if (cn !== undefined) {
    matchers.push((names) => names.commonName === cn && commonNameSubject(names.commonName))
  }
  if (issuerCn !== undefined) matchers.push(({ issuerCommonName: by }) => by === issuerCn && '')
  if (caFile !== undefined) matchers.push(({ caFiles }) => caFiles.includes(caFile) && '')
  if (organization !== undefined) {
    matchers.push(({ organizations }) => organizations.includes(organization) && '')
  }
  if (ou !== undefined) {
    matchers.push(({ organizationalUnits }) => organizationalUnits.includes(ou) && '')
  }
  return matchers
}

function matchDns(fits: NamePattern): Matcher {
  return ({ dnsNames }) => {
    const name = dnsNames.find(fits)
    return name !== undefined && `dns:${name}`
  }
}

function matchUri(fits: NamePattern): Matcher {
  return ({ uris }) => {
    const uri = uris.find(fits)
    return uri !== undefined && uriSubject(uri)
  }
}

/** Of one who came in by a name that others have as well. */
function fallbackSubject({ commonName, dnsNames, uris }: CertificateNames): string | undefined {
  const [uri] = uris
  const [dnsName] = dnsNames
  if (commonName !== '') return commonNameSubject(commonName)
  if (uri !== undefined) return uriSubject(uri)
  return dnsName === undefined ? undefined : `dns:${dnsName}`
}

// A common name is a subject as it stands, as at MinIO. One with a colon could pass for a name of another kind.
function commonNameSubject(commonName: string): string {
  return commonName.includes(':') ? `cn:${commonName}` : commonName
}

function uriSubject(uri: string): string {
  return isSpiffeId(uri) ? uri : `uri:${uri}`
}
