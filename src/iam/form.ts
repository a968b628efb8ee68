import { IamError } from './iam-error.ts'

/** The parameters of one call, in the order sent. No name stands in it twice. */
export type Form = ReadonlyMap<string, string>

const signatureParameters = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
  'X-Amz-Security-Token',
])

/**
 * Joins query string and body. A name that comes twice is refused wherever it comes from, since two readers that
 * pick differently would authorise one thing and do another.
 * @throws IamError `malformed_form` or `duplicate_parameter`
 */
export function parseForm(query: string, body: string): Form {
  const form = new Map<string, string>()
  for (const [name, value] of pairs(query)) {
    if (!signatureParameters.has(name)) add(form, name, value)
  }
  for (const [name, value] of pairs(body)) add(form, name, value)
  return form
}

function add(form: Map<string, string>, name: string, value: string): void {
  if (form.has(name)) {
    throw new IamError(
      'duplicate_parameter',
      `The parameter ${name.slice(0, 100)} is given more than once`,
    )
  }
  form.set(name, value)
}

function pairs(text: string): [string, string][] {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const end = pair.indexOf('=')
      return end < 0
        ? [decode(pair), '']
        : [decode(pair.slice(0, end)), decode(pair.slice(end + 1))]
    })
}

/** Strict where URLSearchParams is not: a stray `%` or bytes that are not UTF-8 are refused, not replaced. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new IamError('malformed_form', 'The parameters are not percent-encoded UTF-8', { cause })
  }
}
