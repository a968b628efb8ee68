/** The S3 namespace of every success document. */
const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/'

const escapes = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
  // A bare carriage return would come back as a line feed (XML 1.0, section 2.11).
  ['\r', '&#xD;'],
])

// What XML 1.0 cannot carry, not even as a character reference; clients that hold such keys ask for encoding-type=url.
// oxlint-disable-next-line no-control-regex -- these are the characters that XML 1.0, section 2.2, leaves out
const uncarriable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu

/** The one escape function: text as it may stand in an element or in an attribute. */
export function escapeXml(text: string): string {
  return text
    .replace(uncarriable, '\ufffd')
    .replace(/[&<>"'\r]/g, (character) => escapes.get(character) ?? '')
}

/** `<name>text</name>`, or nothing at all when there is no value. */
export function element(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `<${name}>${escapeXml(String(value))}</${name}>`
}

/** `<name>…</name>` around markup that was made by these functions. */
export function wrap(name: string, ...markup: readonly string[]): string {
  return `<${name}>${markup.join('')}</${name}>`
}

/** What every document begins with. */
export const xmlProlog = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** A whole document with prolog and namespace. */
export function xmlDocument(root: string, ...markup: readonly string[]): string {
  return `${xmlProlog}<${root} xmlns="${s3Namespace}">${markup.join('')}</${root}>`
}

/** Instants as S3 writes them, in whole seconds like the `Last-Modified` header: `2026-11-21T23:05:28.000Z`. */
export function xmlTime(instant: Date): string {
  return instant.toISOString().replace(/\.\d{3}Z$/, '.000Z')
}
