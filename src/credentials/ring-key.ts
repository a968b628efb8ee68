import type { KeyObject } from 'node:crypto'
import { purposeKey } from './aead.ts'
import type { SessionBody } from './session-codec.ts'

/** One key of the ring, parted by purpose. The key itself is not kept. */
export type RingKey = Readonly<{
  id: string
  /** Seals sessions. */
  session: KeyObject
  /** Derives secret access keys. */
  secret: KeyObject
  /** Seals messages. */
  message: KeyObject
  /** Of a key that others hold, too: the sessions that it may seal. Whatever else it sealed counts as forged. Absent: all. */
  admits?: (session: SessionBody) => boolean
}>

export function ringKey(id: string, root: KeyObject): RingKey {
  return {
    id,
    session: purposeKey(root, 'ring/session'),
    secret: purposeKey(root, 'ring/secret'),
    message: purposeKey(root, 'ring/message'),
  }
}
