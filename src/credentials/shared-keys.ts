import { takeKey } from './aead.ts'
import { ringKey, type RingKey } from './ring-key.ts'
import type { SessionBody } from './session-codec.ts'

/** Keys that an operator and the servers of one tenant hold in common. */
export type SharedKeys = Readonly<{
  /** Id of the key that seals; one of `keys`. */
  active: string
  /** By id (16 of `a-z2-7`): 32 bytes each. */
  keys: ReadonlyMap<string, Buffer>
}>

const idPattern = /^[a-z2-7]{16}$/

/**
 * Texts by name, as they stand in a Secret: `active` names one of the others, each of which is 32 bytes in base64.
 * @throws Error that says what is wrong and shows no key
 */
export function parseSharedKeys(values: ReadonlyMap<string, string>): SharedKeys {
  const ids = [...values.keys()].filter((name) => name !== 'active')
  const keys = new Map(ids.map((id) => [id, parseKey(id, values.get(id) ?? '')]))
  const active = values.get('active')?.trim() ?? ''
  if (keys.has(active)) return { active, keys }
  const known = ids.length === 0 ? 'there is none' : `there are ${ids.join(', ')}`
  throw new Error(`"active" must hold the id of the session key that seals; ${known}`)
}

function parseKey(id: string, text: string): Buffer {
  const trimmed = text.trim()
  const key = Buffer.from(trimmed, 'base64')
  const isWhole = key.length === 32 && key.toString('base64') === trimmed
  if (idPattern.test(id) && isWhole) return key
  throw new Error(
    `"${id.slice(0, 64)}" is no session key: its name is 16 of a-z2-7, and it holds 32 bytes in base64 (openssl rand -base64 32)`,
  )
}

/**
 * A key of these as sessions take it, for one tenant (`NAMESPACE/NAME`). It seals and opens what bindings gave to service accounts there, and nothing else:
 * whoever gets hold of it has what policies of the tenant give, but is neither its root, nor one of its users, nor
 * anybody of another tenant.
 */
export function sharedRingKey(id: string, bytes: Buffer, tenant: string): RingKey {
  // `takeKey` wipes what it is given, and these bytes belong to the caller.
  const key = ringKey(id, takeKey(Buffer.from(bytes)))
  return { ...key, admits: (session) => isOfBinding(session, tenant) }
}

type Bound = Pick<
  SessionBody,
  'tenant' | 'source' | 'principal' | 'way' | 'sourceIdentity' | 'lineage'
>

function isOfBinding(session: Bound, tenant: string): boolean {
  const { source, principal, lineage } = session
  return (
    session.tenant === tenant &&
    source.kind === 'binding' &&
    source.bindings.length > 0 &&
    principal.kind === 'service-account' &&
    // Sessions of GetSessionToken and GetFederationToken go by other names: that of root, for one.
    session.way === undefined &&
    session.sourceIdentity === undefined &&
    lineage.parentAccessKeyId === undefined &&
    lineage.ancestors === undefined
  )
}
