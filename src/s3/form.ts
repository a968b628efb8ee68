import { once } from 'node:events'
import type { Readable } from 'node:stream'

import { Busboy } from '@fastify/busboy'
import type { BusboyInstance } from '@fastify/busboy'

import type { FormFields } from './access-port.ts'
import { incompleteBody } from './body.ts'
import { S3Error } from './s3-error.ts'

// Session tokens are long; everything before the file is kept in memory.
const mostFieldBytes = 64 * 1024
const mostParts = 1000
/** The parser takes what it is given to its end, however early its limits were passed. */
const pieceBytes = 8 * 1024

/** A browser form up to its file. Fields after the file are ignored. */
export type Form = Readonly<{
  fields: FormFields
  /** The last part of the path that the browser gave, or empty. */
  filename: string
  /** The file's bytes; ends cleanly only when the whole form has been read and is well-formed. */
  file: AsyncIterable<Uint8Array>
  /** Stops reading. What has begun to come in is not read any further. */
  abandon(): void
}>

/**
 * Reads a `multipart/form-data` body up to the beginning of its file.
 *
 * @throws S3Error `form_malformed`, `form_fields_too_large`, `incomplete_body`
 */
export async function readForm(
  body: AsyncIterable<Uint8Array>,
  contentType: string,
): Promise<Form> {
  const parser = createParser(contentType)
  const stop = new AbortController()
  const fields = new Map<string, string>()
  const budget = { left: mostFieldBytes }
  let file: Readable | undefined
  const begun = Promise.withResolvers<Pick<Form, 'filename' | 'file'>>()
  const finished = Promise.withResolvers<void>()
  // Whoever waits for the file hears of a failure through it; nobody else has to.
  finished.promise.catch(() => {})
  const fail = (error: S3Error) => {
    stop.abort()
    begun.reject(error)
    finished.reject(error)
    // Else its reader would wait for bytes that never come.
    file?.destroy(error)
  }
  parser.on('field', (name, value, nameTruncated, valueTruncated) => {
    if (file !== undefined) return
    const problem = takeField(fields, budget, name, value, nameTruncated || valueTruncated)
    if (problem !== undefined) fail(problem)
  })
  parser.on('file', (_name, stream, filename) => {
    file = stream
    stream.on('error', (error) => fail(error instanceof S3Error ? error : broken(error)))
    begun.resolve({ filename: filename ?? '', file: wholeFile(stream, finished.promise) })
  })
  parser.on('filesLimit', () => fail(malformed('file', 'POST requires exactly one file upload.')))
  parser.on('partsLimit', () => fail(malformed('file', 'The form has too many fields.')))
  parser.on('error', (error) => fail(broken(error)))
  parser.on('finish', () => {
    begun.reject(malformed('file', 'POST requires exactly one file upload per request.'))
    finished.resolve()
  })
  void pump(body, parser, stop.signal).catch((error: unknown) => fail(interrupted(error)))
  return { ...(await begun.promise), fields, abandon: () => stop.abort() }
}

function createParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (name) => name?.toLowerCase() === 'file',
      limits: {
        fieldSize: mostFieldBytes,
        files: 1,
        parts: mostParts,
        headerPairs: 32,
        headerSize: 8 * 1024,
      },
    })
  } catch (cause) {
    throw new S3Error('form_malformed', 'The body is not multipart/form-data.', { cause })
  }
}

function takeField(
  fields: Map<string, string>,
  budget: { left: number },
  name: unknown,
  value: string,
  truncated: boolean,
): S3Error | undefined {
  if (typeof name !== 'string') return malformed('', 'A field of the form has no name.')
  budget.left -= Buffer.byteLength(name) + Buffer.byteLength(value)
  if (truncated || budget.left < 0) {
    return new S3Error(
      'form_fields_too_large',
      'Your POST request fields preceding the upload file were too large.',
    )
  }
  const lower = name.toLowerCase()
  if (fields.has(lower)) return malformed(name, 'A field must be given once only.')
  fields.set(lower, value)
  return undefined
}

/** The bytes are followed by the rest of the form: only a closed one shows that the file was whole. */
async function* wholeFile(
  stream: Readable,
  finished: Promise<void>,
): AsyncGenerator<Uint8Array, void, void> {
  let held: Uint8Array | undefined
  try {
    for await (const chunk of stream) {
      if (held !== undefined) yield held
      held = chunk
    }
  } catch (error) {
    throw error instanceof S3Error ? error : broken(error)
  }
  await finished
  if (held !== undefined) yield held
}

/** Feeds the parser and never lets an exception of its event handlers escape into the socket's. */
async function pump(
  body: AsyncIterable<Uint8Array>,
  parser: BusboyInstance,
  stop: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of body) {
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        if (stop.aborted) return
        const piece = chunk.subarray(at, at + pieceBytes)
        if (!parser.write(piece)) await once(parser, 'drain', { signal: stop })
      }
    }
    parser.end()
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

/** A connection that breaks off in the middle is the client's failure, not ours. */
function interrupted(error: unknown): S3Error {
  return error instanceof S3Error ? error : incompleteBody(error)
}

function broken(cause: unknown): S3Error {
  return new S3Error(
    'form_malformed',
    'The body of your POST request is not well-formed multipart/form-data.',
    { cause },
  )
}

function malformed(argumentName: string, message: string): S3Error {
  return new S3Error('form_malformed', message, { detail: { argumentName, argumentValue: '' } })
}
