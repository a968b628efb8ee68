/** Long enough to be a sealed message, made of nothing but its alphabet. */
const message = /[\w-][\w.-]{62,}[\w-]/g
const labelled =
  /encoded[-_ ]?(?:authorization[-_ ]?)?(?:failure[-_ ]?)?message["'<>:=\s]+([\w-][\w.-]{62,}[\w-])/i

/**
 * The encoded authorization message in what somebody pasted: the bare message, an error document, response headers.
 * After its label if there is one, else the longest run of its alphabet. `undefined`: none in there.
 */
export function extractMessage(pasted: string): string | undefined {
  const named = labelled.exec(pasted)?.[1]
  if (named !== undefined) return named
  const runs = pasted.match(message) ?? []
  return runs.toSorted((a, b) => b.length - a.length)[0]
}
