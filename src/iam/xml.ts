import { isLeaf, isList, isMap, leafText } from './value.ts'
import type { Members, Value } from './value.ts'

/** The AWS query protocol's XML: members by name, each item of a list in a `member` element. */
export function toXml(members: Members): string {
  return Object.entries(members)
    .map(([name, value]) => (value === undefined ? '' : `<${name}>${content(value)}</${name}>`))
    .join('')
}

function content(value: Value): string {
  if (isLeaf(value)) return escapeXml(leafText(value))
  if (isList(value)) return value.map((item) => `<member>${content(item)}</member>`).join('')
  if (isMap(value)) {
    return [...value].map(([key, each]) => `<entry>${toXml({ key, value: each })}</entry>`).join('')
  }
  return toXml(value)
}

const references = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
  ['\r', '&#xD;'],
])

/** Text that no parser can misread; what XML 1.0 cannot carry at all becomes U+FFFD. */
export function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex -- control characters are exactly what XML 1.0 forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replace(/[&<>"'\r]/g, (character) => references.get(character) ?? character)
  )
}
