import { timingSafeEqual } from 'node:crypto'
import { BoundedCache } from '../bounded-cache.ts'
import type { RingKey } from './ring-key.ts'
import { sharedRingKey } from './shared-keys.ts'

const remembered = 1000

/** `sharedRingKey`, which costs three derivations, once for each key of each tenant. Another key under the same id is another one. */
export function rememberRingKeys(): typeof sharedRingKey {
  const known = new BoundedCache<Readonly<{ bytes: Buffer; key: RingKey }>>(remembered)
  return (id, bytes, tenant) => {
    const name = `${id} ${tenant}`
    const present = known.get(name)
    if (present && present.bytes.length === bytes.length && timingSafeEqual(present.bytes, bytes)) {
      return present.key
    }
    const key = sharedRingKey(id, bytes, tenant)
    known.set(name, { bytes: Buffer.from(bytes), key })
    return key
  }
}
