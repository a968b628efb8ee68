/** Below this the search of the runtime is the fastest, at its worst too. */
const fewSteps = 2 ** 20

/**
 * `text.indexOf(piece, from)` in time linear in both, however alike they are: the runtime's own search looks at each place of
 * the text as often as the piece is long when that has to be (Knuth, Morris, Pratt, "Fast pattern matching in strings").
 */
export function findText(text: string, piece: string, from: number): number {
  if (piece.length * (text.length - from) <= fewSteps) return text.indexOf(piece, from)
  const borders = bordersOf(piece)
  let matched = 0
  for (let at = from; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    while (matched > 0 && piece.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0
    if (piece.charCodeAt(matched) === unit) matched += 1
    if (matched === piece.length) return at - matched + 1
  }
  return -1
}

/** For each beginning of the piece: the length of the longest other beginning that it ends in. */
function bordersOf(piece: string): Uint32Array {
  const borders = new Uint32Array(piece.length)
  let length = 0
  for (let at = 1; at < piece.length; at += 1) {
    const unit = piece.charCodeAt(at)
    while (length > 0 && piece.charCodeAt(length) !== unit) length = borders[length - 1] ?? 0
    if (piece.charCodeAt(length) === unit) length += 1
    borders[at] = length
  }
  return borders
}
