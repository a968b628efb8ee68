/**
 * Text from a server, on one line and without power over the terminal: control characters, line ends and
 * direction marks are shown as `\u{1b}`, so that a subject or an object key cannot rewrite what stands around it.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}
