import type { HttpResponse } from '../http.ts'
import type { Call, Timer } from './call.ts'
import { errorDocument } from './error-response.ts'
import type { XmlResponse } from './responses.ts'
import { xmlProlog } from './xml.ts'

/** How long an answer may take to have its proper status and all of its headers. */
const patienceMs = 10_000
/** Clients give up after a minute without a byte, some proxies earlier. */
const beatMs = 5000

/**
 * Gives an answer that may take minutes. In time it is the answer itself. Else it begins as a 200 with the prolog of a
 * document, goes on with white space, and ends with the result or an `<Error>`; the headers are lost that only the
 * result could fill (Amazon S3 API reference, CompleteMultipartUpload).
 *
 * @param work begun already, after all that can be judged before. It goes on if the client leaves.
 * @param early headers that are known by now: they are sent in either case.
 */
export async function answerInTime(
  call: Call,
  work: Promise<XmlResponse>,
  early: Readonly<Record<string, string>> = {},
): Promise<HttpResponse> {
  const { timer } = call.face.options
  if (await settlesWithin(patienceMs, work, timer)) {
    const response = await work
    return { ...response, headers: { ...response.headers, ...early } }
  }
  return {
    status: 200,
    headers: { 'content-type': 'application/xml', ...early },
    body: drip(lastWord(call, work), timer),
  }
}

async function settlesWithin(
  milliseconds: number,
  work: Promise<unknown>,
  timer: Timer,
): Promise<boolean> {
  return await new Promise((resolve) => {
    const cancel = timer(milliseconds, () => resolve(false))
    const settled = (): void => {
      cancel()
      resolve(true)
    }
    work.then(settled, settled)
  })
}

/** The document that the answer ends with, whatever happens. A fault of ours is logged even if nobody reads on. */
async function lastWord(call: Call, work: Promise<XmlResponse>): Promise<string> {
  try {
    return (await work).body
  } catch (error) {
    const { face, request, address } = call
    return errorDocument(error, { request, ...face.options, address })
  }
}

async function* drip(document: Promise<string>, timer: Timer): AsyncGenerator<Uint8Array> {
  yield Buffer.from(xmlProlog)
  while (!(await settlesWithin(beatMs, document, timer))) yield Buffer.from('\n')
  yield Buffer.from((await document).slice(xmlProlog.length))
}
