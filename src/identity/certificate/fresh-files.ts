import { readFile, stat } from 'node:fs/promises'

/** What some files say now. Rejects while one of them cannot be read or understood. */
export type FreshFiles<T> = () => Promise<readonly T[]>

type Parsed<T> = Readonly<{ stamp: string; value: readonly T[] }>

/** Files are looked at when they are asked for, this often at most, and read when they have changed. */
const lookMs = 1000

/** One round of looking and reading is in flight, whoever asks; how it ended, well or not, holds for a second. */
export function createFreshFiles<T>(
  files: readonly string[],
  parse: (bytes: Buffer) => readonly T[],
  clock: () => Date,
): FreshFiles<T> {
  const parsed = new Map<string, Parsed<T>>()
  let round: { at: number; value: Promise<readonly T[]> } | undefined
  const readOne = async (file: string): Promise<readonly T[]> => {
    const { mtimeMs, size, ino } = await stat(file)
    const stamp = `${mtimeMs}/${size}/${ino}`
    const known = parsed.get(file)
    if (known?.stamp === stamp) return known.value
    parsed.delete(file)
    const value = parseFile(file, await readFile(file), parse)
    parsed.set(file, { stamp, value })
    return value
  }
  return () => {
    const at = clock().getTime()
    // Absolute: a clock that was set back does not keep old files.
    if (round === undefined || Math.abs(at - round.at) >= lookMs) {
      const value = Promise.all(files.map(readOne)).then((all) => all.flat())
      value.catch(() => undefined)
      round = { at, value }
    }
    return round.value
  }
}

function parseFile<T>(
  file: string,
  bytes: Buffer,
  parse: (bytes: Buffer) => readonly T[],
): readonly T[] {
  try {
    return parse(bytes)
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
