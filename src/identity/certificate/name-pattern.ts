/** Says whether a name fits. */
export type NamePattern = (name: string) => boolean

/** RFC 3986 section 2.3: what is no separator anywhere, encoded or not. */
const unreserved = /^[A-Za-z0-9._~-]+$/
const label = /^[a-z0-9_-]+$/
/** Of a DNS name (RFC 1035, section 2.3.4); the check of a label takes quadratic time. */
const longestName = 255

/**
 * A DNS name, in which a `*` stands for one or more characters of one label: `*.web.example.com` takes
 * `a.web.example.com` and neither `a.b.web.example.com` nor a certificate's own `*.web.example.com`.
 * @throws {TypeError} when it is no such pattern
 */
export function parseDnsPattern(pattern: string): NamePattern {
  const parts = pattern.length > longestName ? [''] : pattern.toLowerCase().split('.')
  if (parts.some((part) => !/^[a-z0-9_-]*\*?[a-z0-9_-]*$/.test(part) || part === '')) {
    throw new TypeError(`${JSON.stringify(pattern)} is no DNS name with at most one * in a label`)
  }
  // `*.com` or `*` hands out what anybody can register.
  if (parts.length < 2 || parts.slice(-2).some((part) => part.includes('*'))) {
    throw new TypeError(`${JSON.stringify(pattern)} has a * in the domain itself`)
  }
  return fitParts(parts, '.', (text) => label.test(text))
}

/**
 * A URI, in which a `*` stands for one or more unreserved characters (RFC 3986) of one segment of the path:
 * `spiffe://example.org/ns/web-*`. It cannot cross a `/`, encoded or not, and is never `.` or `..`.
 * @throws {TypeError} when it is no such pattern
 */
export function parseUriPattern(pattern: string): NamePattern {
  const parts = pattern.split('/')
  const isPlain = !pattern.includes('*')
  const hasAuthority = parts.length > 3 && parts[1] === '' && parts[2] !== ''
  if (!/^[a-z][a-z0-9+.-]*:/.test(pattern) || (!isPlain && !hasAuthority)) {
    throw new TypeError(`${JSON.stringify(pattern)} is no URI with a * in its path only`)
  }
  if (parts.some((part, index) => part.split('*').length > (index < 3 ? 1 : 2))) {
    throw new TypeError(`${JSON.stringify(pattern)} has a * before its path, or two in one segment`)
  }
  if (/^spiffe:/i.test(pattern) && !isSpiffeId(pattern.replaceAll('*', 'x'))) {
    throw new TypeError(`${JSON.stringify(pattern)} is no SPIFFE id`)
  }
  const fits = fitParts(parts, '/', isSegment)
  return (uri) => (!/^spiffe:/i.test(uri) || isSpiffeId(uri)) && fits(uri)
}

/** SPIFFE-ID standard, section 2: nothing in it has a second spelling. */
export function isSpiffeId(uri: string): boolean {
  if (uri.length > 2048 || !/^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]+)*$/.test(uri))
    return false
  return !uri.split('/').some(isDots)
}

function isSegment(text: string): boolean {
  return unreserved.test(text) && !isDots(text)
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..'
}

function fitParts(
  parts: readonly string[],
  separator: string,
  isPart: (text: string) => boolean,
): NamePattern {
  return (name) => {
    const given = name.split(separator)
    return given.length === parts.length && given.every((text, index) => fit(text, parts[index]))
  }
  function fit(text: string, part = ''): boolean {
    const [before = '', after] = part.split('*')
    if (after === undefined) return text === part
    return (
      text.length > before.length + after.length &&
      text.startsWith(before) &&
      text.endsWith(after) &&
      isPart(text)
    )
  }
}
