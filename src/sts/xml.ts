/** Spelled as Go's encoder spells them, which is what MinIO's clients have always been sent. */
const entities: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&#34;'],
  ["'", '&#39;'],
  ['\t', '&#x9;'],
  ['\n', '&#xA;'],
  ['\r', '&#xD;'],
])
/** What is not a Char of XML 1.0 section 2.2, lone surrogates included, and what has an entity. */
const special = /[^\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]|[&<>"']/gu

export function escapeText(text: string): string {
  return text.replace(special, (character) => entities.get(character) ?? '\u{FFFD}')
}

declare const markup: unique symbol
/** Text that is XML already. Only `element` makes it, so nothing goes in unescaped. */
export type Xml = string & { readonly [markup]: true }

/** `<name>…</name>`: plain text is escaped, elements are put in as they are. Never self-closed. */
export function element(name: string, content: string | readonly Xml[], namespace?: string): Xml {
  const inside = typeof content === 'string' ? escapeText(content) : content.join('')
  const attribute = namespace === undefined ? '' : ` xmlns="${escapeText(namespace)}"`
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where text becomes markup
  return `<${name}${attribute}>${inside}</${name}>` as Xml
}
