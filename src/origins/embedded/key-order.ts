/** The least bytes above everything that starts with `prefix`. UTF-8 holds no 0xff, so the last byte can grow. */
export function endOfPrefix(prefix: string): Buffer {
  if (prefix === '') return Buffer.from([0xff])
  const end = Buffer.from(prefix)
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1
  return end
}

/** What the key collapses into: all of it up to and with the first delimiter after the prefix. */
export function commonPrefixOf(
  objectKey: string,
  prefix: string,
  delimiter: string,
): string | undefined {
  if (delimiter === '') return undefined
  const at = objectKey.indexOf(delimiter, prefix.length)
  return at === -1 ? undefined : objectKey.slice(0, at + delimiter.length)
}

/** Where a listing starts when it is to go on strictly after `marker`, which may itself be a common prefix. */
export function startAfter(marker: string, prefix: string, delimiter: string): Buffer {
  const isInside = marker.startsWith(prefix)
  const isCommonPrefix = isInside && commonPrefixOf(marker, prefix, delimiter) === marker
  // The least key above another one is that key and a NUL.
  const next = marker === '' ? '' : `${marker}\0`
  const start = isCommonPrefix ? endOfPrefix(marker) : Buffer.from(next)
  const least = Buffer.from(prefix)
  return Buffer.compare(start, least) < 0 ? least : start
}
