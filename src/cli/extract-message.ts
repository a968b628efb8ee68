/** A sealed message names its kind, the key that sealed it, and then holds nothing but base64url. */
const sealed = /dpm1\.[a-z2-7]{16}\.[\w-]+/

/**
 * The encoded authorization message in what somebody pasted: the bare message, an error document, response headers.
 * `undefined`: there is none in it.
 */
export function extractMessage(pasted: string): string | undefined {
  return sealed.exec(pasted)?.[0]
}
