import type { Secret } from '../../secret.ts'
import { createFetchText, type FetchedText, type FetchText } from '../fetch-text.ts'
import { IdentityError } from '../identity-error.ts'
import { mint } from '../principal.ts'
import type { Verifier } from '../types.ts'
import { parsePlugin, type CustomTokenSettings, type Plugin } from './settings.ts'
import { BadAnswer, readVerdict, type Verdict } from './verdict.ts'

type CustomTokenOptions = CustomTokenSettings &
  Readonly<{
    clock: () => Date
    /** Default: real HTTP. */
    fetch?: FetchText | undefined
    /** Is told when the plugin stops to answer, with the reason, and when it does again. Never of a token. */
    log?: ((event: CustomTokenEvent) => void) | undefined
  }>

type CustomTokenEvent = Readonly<{
  kind: 'plugin_unavailable' | 'plugin_available'
  provider: string
  detail: string
}>

type CustomTokenStatus = Readonly<{
  provider: string
  roleArn: string
  requests: number
  /** How many of them brought no answer that could be used. */
  failures: number
  /** Why the last request failed; absent when it did not. */
  error?: string | undefined
  lastSuccessAt?: Date
  lastFailureAt?: Date
}>

export interface CustomTokenVerifier extends Verifier {
  readonly roleArn: string
  /** What everybody gets whom the plugin knows. */
  readonly rolePolicy: readonly string[]
  status(): CustomTokenStatus
}

const longestToken = 16_384
const largestAnswer = 65_536
/** Requests that the plugin has not answered yet. A plugin that hangs holds no more than these. */
const mostInFlight = 256

/**
 * Asks a webhook who a token stands for (MinIO's identity management plugin). Evidence for another role ARN is not
 * its own.
 * @throws {TypeError} when the settings make no sense
 */
export function createCustomTokenVerifier(options: CustomTokenOptions): CustomTokenVerifier {
  const plugin = parsePlugin(options)
  const { clock, fetch = createFetchText(), log = () => {} } = options
  let state: CustomTokenStatus = {
    provider: plugin.name,
    roleArn: plugin.roleArn,
    requests: 0,
    failures: 0,
  }
  const remember = (next: CustomTokenStatus): void => {
    const { error: before } = state
    state = next
    if (next.error === before) return
    const kind = next.error === undefined ? 'plugin_available' : 'plugin_unavailable'
    log({ kind, provider: plugin.name, detail: next.error ?? 'it answers' })
  }
  let inFlight = 0
  const ask = async (token: Secret): Promise<Verdict> => {
    if (inFlight >= mostInFlight) throw unavailable(plugin, 'too many requests are waiting for it')
    inFlight += 1
    state = { ...state, requests: state.requests + 1 }
    try {
      const sent = plugin.authorization ? [token, plugin.authorization] : [token]
      const verdict = readVerdict(await send(plugin, token, fetch), sent)
      remember(succeeded(state, clock()))
      return verdict
    } catch (error) {
      if (error instanceof IdentityError) {
        remember(succeeded(state, clock()))
        throw error
      }
      const reason = reasonOf(error)
      const failures = state.failures + 1
      remember({ ...state, failures, error: reason, lastFailureAt: clock() })
      throw unavailable(plugin, reason)
    } finally {
      inFlight -= 1
    }
  }
  return {
    roleArn: plugin.roleArn,
    rolePolicy: options.rolePolicy,
    status: () => state,
    async verify(evidence, now) {
      if (evidence.kind !== 'custom-token' || evidence.roleArn !== plugin.roleArn) return undefined
      const { user, validitySeconds, claims } = await ask(checkToken(evidence.token))
      return mint({
        kind: 'custom-token',
        provider: plugin.name,
        issuer: plugin.roleArn,
        subject: user,
        displayName: user,
        groups: [],
        claims,
        expiresAt: new Date(now.getTime() + validitySeconds * 1000),
      })
    },
  }
}

function checkToken(token: Secret): Secret {
  const text = token.reveal()
  if (text !== '' && text.length <= longestToken && text.isWellFormed()) return token
  throw new IdentityError(
    'custom_token_refused',
    text === '' ? 'The token is empty' : 'The token is too long or no sound text',
  )
}

function send(plugin: Plugin, token: Secret, fetch: FetchText): Promise<FetchedText> {
  const { authorization, timeoutMs, caFile } = plugin
  const url = new URL(plugin.url)
  const form = new URLSearchParams({ token: token.reveal() })
  if (plugin.tokenIn === 'query') url.searchParams.set('token', token.reveal())
  const isForm = plugin.tokenIn === 'body'
  return fetch(url.href, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      ...(isForm && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(authorization && { authorization: authorization.reveal() }),
    },
    body: isForm ? form.toString() : '',
    timeoutMs,
    maxBytes: largestAnswer,
    caFile,
  })
}

function succeeded(state: CustomTokenStatus, at: Date): CustomTokenStatus {
  return { ...state, error: undefined, lastSuccessAt: at }
}

/** Never the error itself: what an HTTP client says may repeat the URL, and the token is in it. */
function reasonOf(error: unknown): string {
  if (error instanceof BadAnswer) return error.message
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function unavailable({ name }: Plugin, reason: string): IdentityError {
  return new IdentityError(
    'provider_unavailable',
    'The identity plugin cannot be asked; try again',
    {
      detail: { provider: name, reason },
    },
  )
}
