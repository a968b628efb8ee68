import { ExchangeError } from '../exchange.ts'
import type { TargetEvent, TargetStep } from './target-event.ts'

type What = Readonly<{
  status?: number | undefined
  code?: string | undefined
  reason?: string | undefined
}>

/** Of one call to a tenant. What it says is for the log; the caller of the exchange gets a constant text. */
export class TargetFailure extends Error {
  override readonly name = 'TargetFailure'
  readonly kind: 'target_unavailable' | 'target_refused'
  readonly what: What
  readonly retryAfterSeconds: number

  constructor(
    kind: TargetFailure['kind'],
    what: What,
    options: { retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(what.reason ?? `${what.status} ${what.code}`, { cause: options.cause })
    this.kind = kind
    this.what = what
    this.retryAfterSeconds = options.retryAfterSeconds ?? 2
  }

  event(tenant: string, step: TargetStep): TargetEvent {
    const { status, code, reason } = this.what
    return {
      kind: this.kind,
      tenant,
      step,
      ...(status !== undefined && { status }),
      ...(code !== undefined && { code }),
      ...(reason !== undefined && { reason }),
    }
  }

  refusal(tenant: string): ExchangeError {
    if (this.kind === 'target_refused') {
      const message = `Tenant ${tenant} gives no credentials for this; whoever runs the service finds the reason in its log`
      return new ExchangeError('target_refused', message, { detail: this.what, cause: this })
    }
    const { retryAfterSeconds } = this
    const message = `Tenant ${tenant} cannot be asked for credentials just now; try again in ${retryAfterSeconds} s`
    const detail = { ...this.what, retryAfterSeconds }
    return new ExchangeError('target_unavailable', message, { detail, cause: this })
  }
}

/** Something that whoever runs the service has to set right, said so that they can. */
export function wrongSettings(reason: string, cause?: unknown): TargetFailure {
  return new TargetFailure('target_refused', { reason }, { cause })
}

export function unreachable(reason: string, cause?: unknown): TargetFailure {
  return new TargetFailure('target_unavailable', { reason }, { cause })
}
