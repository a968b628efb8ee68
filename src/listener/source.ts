import { BlockList, isIP } from 'node:net'

/** Who really asks: the peer, or what a configured proxy says in `X-Forwarded-For`. */
export type SourceReader = (peer: string | undefined, forwardedFor: string | undefined) => string

export function createSourceReader(trustedProxies: readonly string[]): SourceReader {
  const trusted = new BlockList()
  for (const proxy of trustedProxies) {
    const [address = '', bits] = proxy.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(bits), family)
  }
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return (peer, forwardedFor) => {
    let source = unmapAddress(peer ?? '')
    // From the right: each trusted hop vouches for the one that it names, the first untrusted one is the client.
    const hops = (forwardedFor ?? '').split(',').map((hop) => unmapAddress(withoutPort(hop.trim())))
    while (isTrusted(source)) {
      const hop = hops.pop()
      if (hop === undefined || isIP(hop) === 0) break
      source = hop
    }
    return source
  }
}

/** Some proxies (Azure's, for one) add the port; taken for no address, it would make everybody come from the proxy. */
function withoutPort(hop: string): string {
  return /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? hop
}

/** `::ffff:10.1.2.3` is 10.1.2.3. */
export function unmapAddress(address: string): string {
  const match = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return match?.[1] ?? address
}
