/** Above every key: no UTF-8 text holds this byte. */
const endOfKeys = Buffer.from([0xff])

/** The least bytes above everything that starts with `prefix`. UTF-8 never ends in 0xff, so the last byte can grow. */
export function endOfPrefix(prefix: Buffer): Buffer {
  if (prefix.length === 0) return endOfKeys
  const end = Buffer.from(prefix)
  end[end.length - 1] = (end[end.length - 1] ?? 0) + 1
  return end
}

/** What the key collapses into: its bytes up to and with the first delimiter after the prefix. */
export function commonPrefixOf(
  objectKey: Buffer,
  prefixLength: number,
  delimiter: Buffer,
): Buffer | undefined {
  if (delimiter.length === 0) return undefined
  const at = objectKey.indexOf(delimiter, prefixLength)
  return at === -1 ? undefined : objectKey.subarray(0, at + delimiter.length)
}

/** Where a listing starts when it is to go on strictly after `marker`, which may itself be a common prefix. */
export function startAfter(marker: Buffer, prefix: Buffer, delimiter: Buffer): Buffer {
  const isInside = marker.subarray(0, prefix.length).equals(prefix)
  const collapsed = isInside ? commonPrefixOf(marker, prefix.length, delimiter) : undefined
  const start =
    collapsed?.length === marker.length
      ? endOfPrefix(marker)
      : Buffer.concat([marker, Buffer.alloc(marker.length === 0 ? 0 : 1)])
  return Buffer.compare(start, prefix) < 0 ? prefix : start
}
