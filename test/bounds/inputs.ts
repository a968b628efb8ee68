import * as fc from 'fast-check'

/** The size that every bound is stated for. */
const longest = 64 * 1024

/** An input and what to call it in a failure, since nobody wants to read 64 KiB of brackets. */
export type Input = Readonly<{ name: string; text: string }>

/** What everybody's grammar has to survive. */
const commonWords: readonly string[] = ['\0', '\ud800', '\ufffd', ' ', '%', 'A']

/**
 * Hostile inputs of 64 KiB, made of the words of a grammar: each of them over and over, in each frame; and for each two of
 * them one half of the one and one half of the other, in one frame or another. Nesting, unterminated things, endless
 * separators, what makes patterns look back again and again: all of them are floods of the right words. A frame sets a flood
 * where the parser gets to it.
 */
export function floods(
  words: readonly string[],
  frames: readonly ((flood: string) => string)[],
): readonly Input[] {
  const singles = [...new Set([...words, ...commonWords])].map((word) => [word])
  const pairs = words.flatMap((one) => words.filter((two) => two !== one).map((two) => [one, two]))
  return [
    ...singles.flatMap((some) => frames.map((frame) => flood(some, frame))),
    ...pairs.flatMap((some, at) =>
      frames.slice(at % frames.length, (at % frames.length) + 1).map((frame) => flood(some, frame)),
    ),
  ]
}

function flood(words: readonly string[], frame: (flood: string) => string): Input {
  const share = Math.floor((longest - bytesOf(frame(''))) / words.length)
  const text = frame(words.map((word) => repeatTo(word, share)).join(''))
  return {
    name: `${words.map((word) => `${JSON.stringify(word)}…`).join('')} in ${frame('…').slice(0, 80)}`,
    text,
  }
}

/** Random inputs: short ones of anything, longer ones of the grammar's words, and 64 KiB of a few of them again and again. */
export function anyInput(
  words: readonly string[],
  frames: readonly ((flood: string) => string)[],
): fc.Arbitrary<Input> {
  const word = fc.oneof(fc.constantFrom(...words), fc.constantFrom(...commonWords))
  const period = fc.array(word, { minLength: 1, maxLength: 8 }).map((some) => some.join(''))
  const text = fc.oneof(
    { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
    { weight: 3, arbitrary: fc.array(fc.oneof(word, fc.string())).map((some) => some.join('')) },
    { weight: 2, arbitrary: period.map((some) => repeatTo(some, longest / 2)) },
  )
  return fc
    .tuple(text, fc.constantFrom(...frames))
    .map(([text, frame]) => frame(text))
    .map((text) => ({ name: JSON.stringify(text.slice(0, 200)), text }))
}

/** As many of them as have room in so many bytes. */
export function repeatTo(word: string, bytes: number): string {
  return word.repeat(Math.max(0, Math.floor(bytes / bytesOf(word))))
}

/** Numbered ones, so that no two are the same: `each(n => `a${n}=&`)`. */
export function countUp(each: (index: number) => string, bytes = longest - 1024): string {
  const pieces: string[] = []
  for (let index = 0, left = bytes; left > 0; index += 1) {
    const piece = each(index)
    left -= bytesOf(piece)
    if (left >= 0) pieces.push(piece)
  }
  return pieces.join('')
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text)
}
