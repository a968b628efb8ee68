import { ExchangeError } from '../exchange.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { actions } from './actions.ts'
import { readCall } from './read-call.ts'
import { toWireRefusal } from './refusal.ts'
import { refuse, succeed } from './respond.ts'
import { accepts } from './routing.ts'
import type { Call, StsAction, StsFace, StsFaceOptions } from './types.ts'

export function createStsFace(options: StsFaceOptions): StsFace {
  async function handle(request: HttpRequest): Promise<HttpResponse> {
    let action: StsAction | undefined
    try {
      const call = await readCall(request, options, (name) => (action = name))
      const document = await perform(call)
      options.log({ requestId: request.id, action, status: 200 })
      return succeed(request, document, options)
    } catch (error) {
      return answerError(request, action, error)
    }
  }

  async function perform(call: Call): Promise<string> {
    const action = actions.get(call.action)
    if (action === undefined) throw new Error(`the action ${call.action} has no handler`)
    return action(call, options)
  }

  function answerError(
    request: HttpRequest,
    action: StsAction | undefined,
    error: unknown,
  ): HttpResponse {
    const refusal = toWireRefusal(error, options.compat)
    const { status, code } = refusal.wire
    options.log({
      requestId: request.id,
      action,
      status,
      code,
      ...(refusal.internal && { error }),
      // Of a wrong signature the detail is what was signed, session token and all: that is the caller's to see, and no log's.
      ...(error instanceof ExchangeError && { detail: error.detail }),
    })
    return refuse(request, refusal, options)
  }

  return { accepts, handle }
}
