import type { Credentials } from './credentials/index.ts'
import { asExchangeError, ExchangeError } from './exchange/exchange-error.ts'
import { issuedEvent, refusedEvent, Story } from './exchange/story.ts'
import type {
  ExchangeErrorCode,
  ExchangeEvent,
  ExchangeObservation,
  ExchangeRefused,
  ExchangeRequest,
  Issued,
  RefusedRequest,
} from './exchange/types.ts'
import type { Authorizer, Grant } from './grants/index.ts'
import type { UsedTokens } from './exchange/used-tokens.ts'
import type { Evidence, Principal } from './identity/index.ts'

export { ExchangeError } from './exchange/exchange-error.ts'
export { createUsedTokens } from './exchange/used-tokens.ts'
export type * from './exchange/types.ts'

/**
 * The whole story: evidence is verified into a principal, the principal is authorised to a grant, the grant becomes
 * credentials, and these leave only after the audit record of them is durable. Refusals are recorded as well.
 */
export function createExchange(parts: ExchangeParts): Exchange {
  async function exchange(request: ExchangeRequest): Promise<Issued> {
    const story = new Story(request, parts.clock())
    try {
      const grant = await authorize(request, story)
      story.trace = grant.trace
      const credentials = await parts.sessions.issue(grant)
      await record(issuedEvent(story, grant, credentials))
      parts.observe(story.observation('issued', parts.clock()))
      return { grant, credentials }
    } catch (error) {
      throw await refuse(story, error)
    }
  }

  async function authorize({ evidence, grant }: ExchangeRequest, story: Story): Promise<Grant> {
    if (evidence.kind === 'session') {
      story.principal = evidence.session.principal
      return parts.grants.authorizeSession(evidence.session, grant)
    }
    const addressee = parts.grants.addressed(evidence, grant.roleArn)
    const principal = await parts.identity.verify(addressee, story.at)
    story.principal = principal
    const granted = parts.grants.authorize(principal, grant)
    story.trace = granted.trace
    await useUp(principal)
    return granted
  }

  /**
   * A token that is good for one exchange is used up by what is granted, and by nothing else: a wrong role ARN, or a
   * policy that is not there yet, costs nobody the only token. Of two at once one gets this far first. What fails after
   * this has cost the token all the same; the other order would let one token be granted twice.
   */
  async function useUp({ oneTime, issuer, jti, expiresAt }: Principal): Promise<void> {
    if (oneTime !== true) return
    if (jti === undefined || expiresAt === undefined)
      throw new TypeError('a token without jti or exp')
    const isFirst = await parts.usedTokens
      .use({ issuer, jti, expiresAt })
      .catch((cause: unknown) => {
        const message =
          'Whether the token was used before cannot be known just now; try again later'
        throw new ExchangeError('replay_unknown', message, { cause })
      })
    if (isFirst) return
    const message =
      'The token was replayed: it is good for one exchange, and has had it; get a new one'
    throw new ExchangeError('token_replayed', message)
  }

  async function record(event: ExchangeEvent): Promise<void> {
    try {
      await parts.audit.record(event)
    } catch (cause) {
      const message = 'The audit log cannot be written, so nothing is issued; try again later'
      throw new ExchangeError('audit_unavailable', message, { cause })
    }
  }

  /** Records the refusal and gives back what to throw: an ExchangeError, or what broke in our own house. */
  async function refuse(story: Story, error: unknown): Promise<unknown> {
    const refusal = asExchangeError(error)
    parts.observe(story.observation(refusal?.code ?? 'internal', parts.clock()))
    if (refusal?.code === 'audit_unavailable') return refusal
    const event = refusedEvent(story, refusal)
    await recordRefusal(event)
    if (refusal !== undefined) refusal.encodedMessage = seal(story, event)
    return refusal ?? error
  }

  /** The audit log reports its own failure; the refusal stands either way, and nothing has been issued. */
  async function recordRefusal(event: ExchangeRefused): Promise<void> {
    await parts.audit.record(event).catch(() => undefined)
  }

  /** Only who has been proven gets the sealed trace: it costs something. Without it the refusal is still a refusal. */
  function seal(story: Story, event: ExchangeRefused): string | undefined {
    if (story.principal === undefined) return undefined
    try {
      return parts.explain?.seal(event)
    } catch {
      return undefined
    }
  }

  return {
    exchange,
    async refuse(request, code, message) {
      throw await refuse(new Story(request, parts.clock()), new ExchangeError(code, message))
    },
  }
}

export type ExchangeParts = Readonly<{
  /** Throws when the evidence proves nobody, also when it is of a kind that nobody here can judge. */
  identity: Readonly<{ verify(evidence: Evidence, now: Date): Promise<Principal> }>
  grants: Authorizer
  /** Credentials that keep to the grant, made here or by the tenant's own STS. Throws a refusal of its room. */
  sessions: Readonly<{ issue(grant: Grant): Credentials | Promise<Credentials> }>
  /** Of the tokens whose provider wants each to be taken once. */
  usedTokens: UsedTokens
  /** Resolves when the event is durable. Rejects: nothing may be issued. */
  audit: Readonly<{ record(event: ExchangeEvent): Promise<void> }>
  /** Seals a refusal, so that only who may open it can read it; the caller carries it. */
  explain?: Readonly<{ seal(event: ExchangeRefused): string }> | undefined
  observe: (observation: ExchangeObservation) => void
  clock: () => Date
}>

export interface Exchange {
  /** Throws an ExchangeError; anything else that it throws is our own fault. */
  exchange(request: ExchangeRequest): Promise<Issued>
  /** Records a refusal that a face found out itself, such as a wrong signature, then throws it. */
  refuse(request: RefusedRequest, code: ExchangeErrorCode, message: string): Promise<never>
}
