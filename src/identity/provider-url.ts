/**
 * An address that we may ask: https, or http where nobody can listen in between (loopback) or where the operator said
 * so. No user name or password in it, no fragment.
 * @throws {TypeError} saying what is wrong with `what`
 */
export function parseProviderUrl(
  text: unknown,
  what: string,
  plainHttp: 'never' | 'loopback' | 'always',
): URL {
  if (typeof text !== 'string' || !URL.canParse(text)) throw new TypeError(`${what} is not a URL`)
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') throw new TypeError(`${what} holds credentials`)
  if (url.hash !== '') throw new TypeError(`${what} has a fragment`)
  if (url.protocol === 'https:') return url
  if (url.protocol !== 'http:') throw new TypeError(`${what} is not an https URL`)
  if (plainHttp === 'always' || (plainHttp === 'loopback' && isLoopback(url.hostname))) return url
  throw new TypeError(`${what} is plain http and not on loopback: use https (or insecureHttp)`)
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
