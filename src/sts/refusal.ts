import { ExchangeError } from '../exchange.ts'
import { Refusal } from '../errors.ts'
import { StsError } from './sts-error.ts'
import type { Compat } from './types.ts'
import {
  callerErrors,
  exchangeErrors,
  internalError,
  protocolErrors,
  type WireError,
} from './wire-errors.ts'

export type WireRefusal = Readonly<{
  wire: WireError
  message: string
  /** Ours: goes to the log with everything in it, and outside as a constant text. */
  internal: boolean
  /** A rest of the body is still on its way, and not worth reading. */
  bodyUnread: boolean
  /** When it is worth while to try again. */
  retryAfterSeconds?: number
}>

/** What to answer to an error of any kind. Each room's codes have their own table: equal names mean different things. */
export function toWireRefusal(error: unknown, compat: Compat): WireRefusal {
  if (error instanceof ExchangeError) {
    return refusal(exchangeErrors[error.code][compat], error, error.encodedMessage)
  }
  if (error instanceof StsError) {
    const bodyUnread = error.code.startsWith('body_')
    return { ...refusal(protocolErrors[error.code][compat], error), bodyUnread }
  }
  if (error instanceof Refusal && isCallerCode(error.code)) {
    const { encodedMessage } = error.detail
    const sealed = typeof encodedMessage === 'string' ? encodedMessage : undefined
    return refusal(callerErrors[error.code][compat], error, sealed)
  }
  const message = 'We encountered an internal error. Please try again.'
  return { wire: internalError[compat], message, internal: true, bodyUnread: false }
}

/** The sealed trace stands where AWS puts it, so that its tools find it. */
function refusal(wire: WireError, error: Refusal, encodedMessage?: string): WireRefusal {
  const explained = encodedMessage && ` Encoded authorization failure message: ${encodedMessage}`
  const { retryAfterSeconds } = error.detail
  return {
    wire,
    message: `${error.message}${explained ?? ''}`,
    internal: false,
    bodyUnread: false,
    ...(typeof retryAfterSeconds === 'number' && { retryAfterSeconds }),
  }
}

function isCallerCode(code: string): code is keyof typeof callerErrors {
  return Object.hasOwn(callerErrors, code)
}
