import { utf8OfHeader } from './request-fields.ts'
import { S3Error } from './s3-error.ts'
import { childText, childrenOf } from './xml-parse.ts'
import type { XmlElement } from './xml-parse.ts'
import { element, wrap, xmlDocument } from './xml.ts'

export type Tags = ReadonlyMap<string, string>

const mostTags = 10
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** `x-amz-tagging: a=1&b=2`, encoded like a form. @throws S3Error `invalid_argument`, `invalid_tag` */
export function parseTagHeader(header: string | undefined): Tags {
  if (header === undefined || header === '') return new Map()
  return checkTags(
    utf8OfHeader(header)
      .split('&')
      .map((pair) => {
        const equals = pair.indexOf('=')
        return equals < 0
          ? [decodeForm(pair), '']
          : [decodeForm(pair.slice(0, equals)), decodeForm(pair.slice(equals + 1))]
      }),
  )
}

function decodeForm(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new S3Error(
      'invalid_argument',
      'The header x-amz-tagging shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.',
      { detail: { argumentName: 'x-amz-tagging' }, cause },
    )
  }
}

/** `<Tagging><TagSet><Tag><Key/><Value/></Tag>…`. @throws S3Error `malformed_xml`, `invalid_tag` */
export function parseTagging(document: XmlElement): Tags {
  const [set, ...more] = childrenOf(document, 'TagSet')
  if (set === undefined || more.length > 0) {
    throw new S3Error('malformed_xml', 'Exactly one TagSet is expected.')
  }
  return checkTags(childrenOf(set, 'Tag').map(parseTag))
}

function parseTag(tag: XmlElement): [string, string] {
  const name = childText(tag, 'Key')
  const value = childText(tag, 'Value')
  if (name === undefined || value === undefined) {
    throw new S3Error('malformed_xml', 'A Tag needs a Key and a Value.')
  }
  return [name, value]
}

function checkTags(pairs: readonly (readonly string[])[]): Tags {
  if (pairs.length > mostTags) {
    throw new S3Error('invalid_tag', `Object tags cannot be greater than ${mostTags}.`)
  }
  const tags = new Map<string, string>()
  for (const [name = '', value = ''] of pairs) {
    if (name === '' || lengthOf(name) > 128 || !allowed.test(name)) {
      throw invalidTag(name, 'The TagKey you have provided is invalid.')
    }
    if (lengthOf(value) > 256 || !allowed.test(value)) {
      throw invalidTag(name, 'The TagValue you have provided is invalid.')
    }
    if (/^aws:/i.test(name)) {
      throw invalidTag(name, 'System tags cannot be added or updated by the requester.')
    }
    if (tags.has(name)) {
      throw invalidTag(name, 'Cannot provide multiple Tags with the same key.')
    }
    tags.set(name, value)
  }
  return tags
}

/** In Unicode characters, as Amazon S3 counts. */
function lengthOf(text: string): number {
  return Array.from(text).length
}

function invalidTag(tagKey: string, message: string): S3Error {
  return new S3Error('invalid_tag', message, { detail: { tagKey } })
}

export function renderTagging(tags: Tags): string {
  const rows = [...tags].map(([name, value]) =>
    wrap('Tag', element('Key', name), element('Value', value)),
  )
  return xmlDocument('Tagging', wrap('TagSet', ...rows))
}
