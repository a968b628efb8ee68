import { isIPv6 } from 'node:net'

/** One household of IPv6 has a whole /64 to send from: it counts as one source. An IPv4 address counts by itself. */
export function sourceNetwork(address: string): string {
  const plain = address.replace(/%.*$/, '').toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(plain)) return plain
  // The parser of URLs writes one address in one way only.
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::')
  const groups = partsOf(head)
  if (tail === undefined) return groups.slice(0, 4).join(':')
  const zeros = Array.from({ length: 8 - groups.length - partsOf(tail).length }, () => '0')
  return [...groups, ...zeros, ...partsOf(tail)].slice(0, 4).join(':')
}

function partsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':')
}
