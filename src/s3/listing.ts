import { hasControlCharacter } from './address.ts'
import type { BucketCall, Call } from './call.ts'
import { invalidArgument } from './s3-error.ts'
import { element, wrap } from './xml.ts'

const mostEntries = 1000

/** What all listings of a bucket have in common. */
export type Listing = Readonly<{
  prefix: string
  delimiter: string
  /** How keys are written: as they are, or percent-encoded on request. */
  encode: (text: string) => string
}>

/** @throws S3Error `invalid_argument` for an encoding other than `url`. */
export function parseListing(call: Call): Listing {
  const { parameters } = call.fields
  return {
    prefix: textParameter(call, 'prefix') ?? '',
    delimiter: parameters.get('delimiter') ?? '',
    encode: encodeListed(call),
  }
}

/** A parameter that names keys. @throws S3Error `invalid_argument` for control characters, which no key holds. */
export function textParameter(call: Call, name: string): string | undefined {
  const text = call.fields.parameters.get(name)
  if (text !== undefined && hasControlCharacter(text)) {
    throw invalidArgument(name, '', `${name} must be UTF-8 without control characters.`)
  }
  return text
}

/** `encoding-type=url`: everything but unreserved characters and `/`, so that XML can carry every key. */
export function encodeListed(call: Call): (text: string) => string {
  const type = call.fields.parameters.get('encoding-type')
  if (type === undefined || type === '') return (text) => text
  if (type.toLowerCase() !== 'url') {
    throw invalidArgument('encoding-type', type, 'Invalid Encoding Method specified in Request')
  }
  return percentEncode
}

function percentEncode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** 0 to 1000, larger ones clamped. @throws S3Error `invalid_argument` */
export function parseMaximum(call: Call, name: string): number {
  const text = call.fields.parameters.get(name)
  if (text === undefined || text === '') return mostEntries
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw invalidArgument(name, text, `Provided ${name} not an integer or within integer range`)
  }
  return Math.min(Number(text), mostEntries)
}

/** The facts of a listing: prefix and delimiter only as sent, the maximum always. */
export function listFacts(call: Call, maximum: number) {
  const { parameters } = call.fields
  const prefix = parameters.get('prefix')
  const delimiter = parameters.get('delimiter')
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(delimiter === undefined ? {} : { delimiter }),
    'max-keys': maximum,
  }
}

export function renderOwner(call: Call): string {
  const { id, displayName } = call.face.options.owner
  return element('ID', id) + element('DisplayName', displayName)
}

export function renderPrefixes(prefixes: readonly string[], listing: Listing): string {
  return prefixes
    .map((prefix) => wrap('CommonPrefixes', element('Prefix', listing.encode(prefix))))
    .join('')
}

export function renderEncoding(call: Call): string {
  return call.fields.parameters.get('encoding-type') ? element('EncodingType', 'url') : ''
}

const tokenKind = 's3-list'

/** A continuation token: sealed, and good only for the same listing. */
export function sealToken(call: BucketCall, listing: Listing, after: string): string {
  return call.face.options.sealer.seal(tokenKind, [...scopeOf(call, listing), after])
}

/** Where the listing goes on. @throws S3Error `invalid_argument` for empty, garbled and foreign tokens. */
export function openToken(call: BucketCall, listing: Listing, token: string): string {
  const opened = open(call, token)
  const scope = scopeOf(call, listing)
  if (Array.isArray(opened) && opened.length === scope.length + 1) {
    const after: unknown = opened.at(-1)
    if (scope.every((part, index) => opened[index] === part) && typeof after === 'string') {
      return after
    }
  }
  throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
}

function scopeOf(call: BucketCall, listing: Listing): readonly string[] {
  return [call.bucket, listing.prefix, listing.delimiter]
}

function open(call: Call, token: string): unknown {
  try {
    return call.face.options.sealer.open(tokenKind, token)
  } catch {
    return undefined
  }
}
