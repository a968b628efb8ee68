/** Keys that every client has to carry as they are. */
export const plainKeys: readonly string[] = [
  'two words and  two spaces',
  'a+b=c&d;e,f@g!h$i',
  "it's (round) [square] {curly} ~tilde",
  'naïve/Ünïcode/ελληνικά/日本語',
  'emoji 😀👩‍👩‍👧 done',
  'literal %2F and %20 and %zz',
  'quotes " < > ] end',
  '*?star',
]

/** Keys that only clients without a view of their own on paths can carry. */
export const anyKeys: readonly string[] = [
  ...plainKeys,
  'double//slash///triple',
  '/begins with a slash',
  'ends with a slash/',
  'dots/../in/./the/middle',
  '../../etc/passwd',
  '..',
  '.',
  './',
  'back\\slash',
  'question?mark=1#hash',
  'nfc é nfd e\u0301',
  '\u00a0no-break and \u2028 line separator',
  'x'.repeat(1020),
  '😀'.repeat(255),
]
