import { StsError } from './sts-error.ts'

/** The parameters of one call by name. A name stands once; an empty value counts as absent. */
export class Parameters {
  readonly #values: ReadonlyMap<string, string>

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values
  }

  get(name: string): string | undefined {
    return this.#values.get(name) || undefined
  }

  /** Names with a value. */
  names(): readonly string[] {
    return [...this.#values].filter(([, value]) => value !== '').map(([name]) => name)
  }

  /** Throws an StsError `missing_parameter`. */
  demand(name: string): string {
    const value = this.get(name)
    if (value !== undefined) return value
    throw new StsError('missing_parameter', `The parameter ${name} is missing`)
  }
}

/** More than any honest call has, so that a body of `&a&b&c` stays cheap. */
const maxParameters = 256

/**
 * Parameters from the query and from a form body together. Throws an StsError `malformed_form` when a name stands twice:
 * two readers could take two different values. A name in both places must have one value.
 */
export function mergeParameters(query: Fields, form: Fields): Parameters {
  const values = unique(query)
  for (const [name, value] of unique(form)) {
    if ((values.get(name) ?? value) !== value) throw malformed(`Two values for ${quoted(name)}`)
    values.set(name, value)
  }
  return new Parameters(values)
}

export type Fields = readonly (readonly [name: string, value: string])[]

/**
 * `application/x-www-form-urlencoded` (URL Standard), read strictly: throws an StsError `malformed_form` for percent
 * signs without two hex digits and for bytes that are no UTF-8.
 */
export function parseFields(bytes: Buffer): Fields {
  const parts = decodeUtf8(bytes).split('&', maxParameters + 1)
  if (parts.length > maxParameters) throw malformed(`More than ${maxParameters} parameters`)
  return parts.filter((part) => part !== '').map(parseField)
}

function parseField(part: string): readonly [string, string] {
  const equals = part.indexOf('=')
  if (equals < 0) return [decode(part), '']
  return [decode(part.slice(0, equals)), decode(part.slice(equals + 1))]
}

function decode(text: string): string {
  // Tokens are long, and nothing in them is encoded.
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw malformed('A parameter is not percent-encoded UTF-8', cause)
  }
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw malformed('The parameters are not UTF-8', cause)
  }
}

function unique(fields: Fields): Map<string, string> {
  const values = new Map<string, string>()
  for (const [name, value] of fields) {
    if (values.has(name)) throw malformed(`The parameter ${quoted(name)} stands twice`)
    values.set(name, value)
  }
  return values
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}

function malformed(message: string, cause?: unknown): StsError {
  return new StsError('malformed_form', message, { cause })
}
