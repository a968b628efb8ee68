import { createHmac, hash } from 'node:crypto'
import type { Grant } from '../grants/index.ts'
import { Secret } from '../secret.ts'
import { accessKeyIdBytes, isSessionAccessKeyId, sessionAccessKeyId } from './access-key-id.ts'
import { openBytes, parseBase64url, sealBytes, sealingNonceBytes, subkey } from './aead.ts'
import { BoundedCache } from '../bounded-cache.ts'
import { CredentialsError } from './credentials-error.ts'
import { defaultLongestSessionSeconds } from './key-ring.ts'
import { pack, unpack } from './packing.ts'
import type { RingKey } from './ring-key.ts'
import {
  decodeSession,
  encodeSession,
  type SessionBody,
  type SessionEncoding,
} from './session-codec.ts'
import type { SessionRing, SessionRules } from './session-ring.ts'
import type { Credentials, OpenedSession, Session } from './types.ts'

export type SessionsOptions = Readonly<{
  ring: SessionRing
  revocations: SessionRules
  clock: () => Date
  random: (bytes: number) => Buffer
  /** The longest token, in characters. Default and most: 4096, what travels in a header. */
  maxTokenBytes?: number
  /** How many opened sessions are kept. Default: 10 000. */
  cacheSize?: number
  /** No session lives longer, whatever its token says; the same value as the ring and the revocations have. */
  longestSessionSeconds?: number
}>

/** Grant -> Credentials, and back from a token to the session that it stands for. */
export type Sessions = Readonly<{
  /**
   * Writes nothing anywhere. Throws a CredentialsError `session_too_large` when the token would not fit a header.
   */
  issue(grant: Grant): Credentials
  /**
   * What the token stands for, if its seal holds and it belongs to this access key; a promise only when its key was
   * rotated in a moment ago and the store has to be asked. Throws or rejects with a CredentialsError:
   * `token_missing`, `token_invalid`, or `revocations_stale` when the store should have been asked and was silent.
   * The session may be expired or revoked: verify the signature with the secret, then call `assertLive`.
   */
  open(accessKeyId: string, token: Secret | undefined): OpenedSession | Promise<OpenedSession>
  /**
   * Throws a CredentialsError: `token_expired`, else `session_revoked`, else `revocations_stale` when this process
   * has not heard of revocations for longer than it promised. To be asked on each request.
   */
  assertLive(session: Session, now: Date): void
}>

/** Part of what is sealed: a change of the encoding asks for a new one. Those before it are still opened. */
const version: SessionEncoding = 'dps2'
const longestToken = 4096
/** Unpacked; a token of 4 KiB that holds more would be refused at issue. */
const maxSessionBytes = 65_536
/** What SigV4 allows between two clocks. */
const sharedClockToleranceMs = 900_000
const tokenPattern = /^(dps[12])\.([a-z2-7]{16})\.([A-Za-z0-9_-]+)$/

export function createSessions(options: SessionsOptions): Sessions {
  return new SealedSessions(options)
}

type Kept = Readonly<{ opened: OpenedSession; sealingKey: RingKey }>

class SealedSessions implements Sessions {
  readonly #options: SessionsOptions
  readonly #maxTokenBytes: number
  readonly #longestMs: number
  readonly #opened: BoundedCache<Kept>

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#maxTokenBytes = Math.min(options.maxTokenBytes ?? longestToken, longestToken)
    this.#longestMs = (options.longestSessionSeconds ?? defaultLongestSessionSeconds) * 1000
    this.#opened = new BoundedCache(options.cacheSize ?? 10_000)
  }

  issue(grant: Grant): Credentials {
    const expiresAt = new Date(Math.floor(grant.expiresAt.getTime() / 1000) * 1000)
    if (expiresAt.getTime() - grant.issuedAt.getTime() > this.#longestMs) {
      throw new RangeError('the grant outlives the longest session')
    }
    const sealingKey = this.#options.ring.activeKey
    if (sealingKey.admits && !sealingKey.admits(grant)) {
      throw new TypeError('the active key may not seal such a session')
    }
    const bytes = this.#options.random(accessKeyIdBytes + sealingNonceBytes)
    const accessKeyId = sessionAccessKeyId(bytes)
    const encoded = encodeSession(grant, this.#instantOf(grant))
    const token = seal(sealingKey, accessKeyId, bytes.subarray(accessKeyIdBytes), encoded)
    this.#assertFits(token)
    return {
      accessKeyId,
      secretAccessKey: secretOf(sealingKey, accessKeyId),
      sessionToken: new Secret(token),
      expiresAt,
      packedPolicySize: Math.ceil((token.length * 100) / this.#maxTokenBytes),
    }
  }

  open(accessKeyId: string, token: Secret | undefined): OpenedSession | Promise<OpenedSession> {
    if (token === undefined) throw missing()
    const text = token.reveal()
    if (text.length > longestToken) throw invalid()
    const id = hash('sha256', text, 'base64')
    return this.#openAgain(id, accessKeyId) ?? this.#openFirst(id, accessKeyId, text)
  }

  assertLive(session: Session, now: Date): void {
    this.#assertNotAhead(session, now)
    const longest = session.issuedAt.getTime() + this.#longestMs
    if (now.getTime() >= Math.min(session.expiresAt.getTime(), longest)) {
      throw new CredentialsError('token_expired', 'The security token has expired.')
    }
    const rule = this.#options.revocations.find(session)
    if (rule) {
      const detail = { rule: rule.id, reason: rule.reason }
      throw new CredentialsError('session_revoked', 'The session was revoked.', { detail })
    }
    // Freshness is a matter of the present: `now` may be the arrival of a request whose body took its time.
    if (!this.#options.revocations.isFresh(this.#options.clock())) throw stale()
  }

  /** Who else holds the key could give a session an instant that no rule of revocation reaches for years. */
  #assertNotAhead({ issuedAt, sealingKey }: Session, now: Date): void {
    const isShared = this.#options.ring.find(sealingKey)?.admits !== undefined
    if (isShared && issuedAt.getTime() > now.getTime() + sharedClockToleranceMs) throw invalid()
  }

  /**
   * A grant tells the second of the decision. Within that second we take the present instant, so that a sign-in right
   * after a revocation holds; and no later one, so that a decision older than the revocation does not.
   */
  #instantOf(grant: Grant): Date {
    const second = Math.floor(grant.issuedAt.getTime() / 1000)
    return new Date(Math.min(this.#options.clock().getTime(), second * 1000 + 999))
  }

  #assertFits(token: string): void {
    if (token.length > this.#maxTokenBytes) throw tooLarge(token.length)
  }

  /** A warm token: one hash and two look-ups. Its key, and no other of that id, must still be in the ring. */
  #openAgain(id: string, accessKeyId: string): OpenedSession | undefined {
    const kept = this.#opened.get(id)
    if (!kept) return undefined
    const { opened, sealingKey } = kept
    if (opened.session.accessKeyId !== accessKeyId) throw invalid()
    if (this.#options.ring.find(sealingKey.id) === sealingKey) return opened
    this.#opened.delete(id)
    return undefined
  }

  #openFirst(
    id: string,
    accessKeyId: string,
    text: string,
  ): OpenedSession | Promise<OpenedSession> {
    const token = parseToken(text)
    if (!token || !isSessionAccessKeyId(accessKeyId)) throw invalid()
    const sealingKey = this.#options.ring.find(token.keyId)
    if (sealingKey) return this.#keep(id, sealingKey, unseal(sealingKey, accessKeyId, token))
    return this.#openLater(id, accessKeyId, token)
  }

  /** Only texts of the right form come here, and the ring asks the store a bounded number of times. */
  async #openLater(id: string, accessKeyId: string, token: ParsedToken): Promise<OpenedSession> {
    const sealingKey = await this.#options.ring.fetch(token.keyId).catch((cause: unknown) => {
      throw stale(cause)
    })
    if (!sealingKey) throw invalid()
    return this.#keep(id, sealingKey, unseal(sealingKey, accessKeyId, token))
  }

  #keep(id: string, sealingKey: RingKey, opened: OpenedSession | undefined): OpenedSession {
    if (!opened) throw invalid()
    this.#opened.set(id, { opened, sealingKey })
    return opened
  }
}

type ParsedToken = Readonly<{ encoding: SessionEncoding; keyId: string; sealed: Buffer }>

function parseToken(text: string): ParsedToken | undefined {
  const [, encoding, keyId, body] = tokenPattern.exec(text) ?? []
  const sealed = body === undefined ? undefined : parseBase64url(body)
  if (keyId === undefined || !sealed) return undefined
  return { encoding: encoding === 'dps1' ? 'dps1' : 'dps2', keyId, sealed }
}

/**
 * `version.key id.sealed`. The key that seals is made for this one access key id, so the token opens for no other and
 * the random nonce has no birthday bound to reach.
 */
function seal(
  sealingKey: RingKey,
  accessKeyId: string,
  nonce: Uint8Array,
  encoded: Buffer,
): string {
  const head = `${version}.${sealingKey.id}`
  if (encoded.length > maxSessionBytes) throw tooLarge(encoded.length)
  const sealed = sealBytes(subkey(sealingKey.session, accessKeyId), nonce, head, pack(encoded))
  return `${head}.${sealed.toString('base64url')}`
}

function unseal(
  sealingKey: RingKey,
  accessKeyId: string,
  { encoding, sealed }: ParsedToken,
): OpenedSession | undefined {
  const head = `${encoding}.${sealingKey.id}`
  const packed = openBytes(subkey(sealingKey.session, accessKeyId), head, sealed)
  const encoded = packed && unpack(packed, maxSessionBytes)
  if (!encoded) return undefined
  const body = bodyOf(encoded, encoding, sealingKey)
  if (body === undefined) return undefined
  const session = { accessKeyId, sealingKey: sealingKey.id, ...body }
  return { session, secretAccessKey: secretOf(sealingKey, accessKeyId) }
}

/** What we sealed ourselves has the form that we gave it; whoever else holds the key may have sealed anything. */
function bodyOf(
  encoded: Buffer,
  encoding: SessionEncoding,
  { admits }: RingKey,
): SessionBody | undefined {
  if (admits === undefined) return decodeSession(encoded, encoding)
  try {
    const body = decodeSession(encoded, encoding)
    return admits(body) ? body : undefined
  } catch {
    return undefined
  }
}

/** Derived, never stored: 40 characters, the base64 of the first 30 bytes of the HMAC. */
function secretOf(sealingKey: RingKey, accessKeyId: string): Secret {
  const mac = createHmac('sha256', sealingKey.secret).update(accessKeyId).digest()
  return new Secret(mac.subarray(0, 30).toString('base64'))
}

function tooLarge(bytes: number): CredentialsError {
  const message =
    'The session policies, tags and claims together are too large for a session token.'
  return new CredentialsError('session_too_large', message, { detail: { bytes } })
}

function missing(): CredentialsError {
  return new CredentialsError('token_missing', 'Temporary credentials need their session token.')
}

/** One text for all: what was wrong with a token is nobody's business. */
function invalid(): CredentialsError {
  return new CredentialsError('token_invalid', 'The security token is not valid.')
}

function stale(cause?: unknown): CredentialsError {
  const message = 'Revocations cannot be checked at the moment. Try again.'
  return new CredentialsError('revocations_stale', message, { cause })
}
