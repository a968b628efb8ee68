/** An address: the 32 bits of IPv4 as one number, or the eight words of IPv6. */
type Address = number | readonly number[]
export type IpRange = Readonly<{ base: Address; prefixLength: number }>

/** A CIDR block or a bare address, IPv4 or IPv6. Bits behind the prefix are ignored. `undefined`: neither. */
export function parseIpRange(text: string): IpRange | undefined {
  const [addressText = '', lengthText, ...rest] = text.split('/')
  const written = parseWrittenAddress(addressText)
  if (written === undefined || rest.length > 0) return undefined
  const bits = typeof written === 'number' ? 32 : 128
  const prefixLength = lengthText === undefined ? bits : parsePrefixLength(lengthText, bits)
  if (prefixLength === undefined) return undefined
  const base = unwrapMapped(written)
  if (typeof base === 'number' && bits === 128) {
    // ::ffff:a.b.c.d/n is an IPv4 range only when the whole mark lies inside the prefix
    return prefixLength < 96
      ? { base: written, prefixLength }
      : { base, prefixLength: prefixLength - 96 }
  }
  return { base, prefixLength }
}

/** `undefined`: not an address. `::ffff:a.b.c.d` is read as the IPv4 address that it wraps; a zone (`%eth0`) is dropped. */
export function parseAddress(text: string): Address | undefined {
  const ipv4 = parseIpv4(text)
  if (ipv4 >= 0) return ipv4
  const zone = text.indexOf('%')
  const ipv6 = parseIpv6(zone < 0 ? text : text.slice(0, zone))
  return ipv6 === undefined ? undefined : unwrapMapped(ipv6)
}

export function rangeContains(range: IpRange, address: Address): boolean {
  if (typeof range.base === 'number' || typeof address === 'number') {
    return range.base === address || sameIpv4Prefix(range.base, address, range.prefixLength)
  }
  for (let index = 0, left = range.prefixLength; left > 0; index += 1, left -= 16) {
    const shift = left >= 16 ? 0 : 16 - left
    if ((range.base[index] ?? 0) >>> shift !== (address[index] ?? 0) >>> shift) return false
  }
  return true
}

function sameIpv4Prefix(base: Address, address: Address, prefixLength: number): boolean {
  if (typeof base !== 'number' || typeof address !== 'number') return false
  return prefixLength === 0 || (base ^ address) >>> (32 - prefixLength) === 0
}

function parseWrittenAddress(text: string): Address | undefined {
  const ipv4 = parseIpv4(text)
  return ipv4 >= 0 ? ipv4 : parseIpv6(text)
}

function parsePrefixLength(text: string, bits: number): number | undefined {
  return /^(?:0|[1-9]\d{0,2})$/.test(text) && Number(text) <= bits ? Number(text) : undefined
}

/** -1: not IPv4. Leading zeros are refused: some readers take them for octal. No allocation: this runs for every request. */
function parseIpv4(text: string): number {
  let value = 0
  let octet = -1
  let dots = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === 0x2e) {
      if (octet < 0 || dots === 3) return -1
      value = value * 256 + octet
      octet = -1
      dots += 1
    } else {
      const digit = code - 0x30
      if (digit < 0 || digit > 9 || octet === 0) return -1
      octet = octet < 0 ? digit : octet * 10 + digit
      if (octet > 255) return -1
    }
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1
}

/** RFC 4291, section 2.2: eight groups, one `::`, an IPv4 tail. */
function parseIpv6(text: string): readonly number[] | undefined {
  if (text.length > 45 || !text.includes(':')) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = parseGroups(halves[1] ?? '', true)
  if (head === undefined || tail === undefined) return undefined
  if (halves.length === 1) return head.length === 8 ? head : undefined
  const missing = 8 - head.length - tail.length
  return missing < 1 ? undefined : [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

function parseGroups(text: string, atEnd: boolean): readonly number[] | undefined {
  if (text === '') return []
  const words: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    const ipv4 = atEnd && index === groups.length - 1 ? parseIpv4(group) : -1
    if (ipv4 >= 0) words.push(ipv4 >>> 16, ipv4 & 0xffff)
    else if (/^[0-9a-fA-F]{1,4}$/.test(group)) words.push(Number.parseInt(group, 16))
    else return undefined
  }
  return words
}

function unwrapMapped(address: Address): Address {
  if (typeof address === 'number') return address
  const mapped = address.every((word, index) => index > 5 || word === (index === 5 ? 0xffff : 0))
  return mapped ? (address[6] ?? 0) * 65_536 + (address[7] ?? 0) : address
}
