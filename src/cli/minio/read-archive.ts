import { crc32 } from 'node:zlib'
import type { Entry, ZipFile } from 'yauzl'
import { CliError } from '../cli-error.ts'

/** An export has seven entries; a hundred thousand users with a service account each take some 100 MB of JSON. */
const maxEntries = 1000
const maxInflatedBytes = 256 * 1024 * 1024

export type Archive = Readonly<{
  /** Name -> content, of the entries that were asked for. */
  files: ReadonlyMap<string, Buffer>
  /** Names of the others; what is in them was not looked at. */
  others: readonly string[]
}>

/**
 * Reads a zip archive whole, before anything is done with it. Sizes are counted as they come, whatever the archive says of
 * itself; names that lead elsewhere, that come twice, and contents that are not what was packed are refused.
 * @throws CliError `usage` for a file that cannot be read, `invalid` for what is in it
 */
export async function readArchive(file: string, wanted: ReadonlySet<string>): Promise<Archive> {
  const zip = await open(file)
  try {
    return await readEntries(zip, file, wanted)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw invalid(file, error)
  } finally {
    zip.close()
  }
}

async function open(file: string): Promise<ZipFile> {
  const { openPromise } = await import('yauzl')
  try {
    return await openPromise(file, { autoClose: false, strictFileNames: true })
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw new CliError('usage', `Cannot read ${file}: ${error.message}`, { cause: error })
    }
    throw invalid(file, error)
  }
}

async function readEntries(
  zip: ZipFile,
  file: string,
  wanted: ReadonlySet<string>,
): Promise<Archive> {
  const files = new Map<string, Buffer>()
  const seen = new Set<string>()
  let left = maxInflatedBytes
  if (zip.entryCount > maxEntries) throw invalid(file, `it has more than ${maxEntries} entries`)
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileName
    if (seen.has(name)) throw invalid(file, `it holds ${JSON.stringify(name)} twice`)
    seen.add(name)
    if (!wanted.has(name)) continue
    const content = await inflate(zip, entry, file, left)
    left -= content.length
    files.set(name, content)
  }
  const others = [...seen].filter((name) => !wanted.has(name) && !name.endsWith('/'))
  return { files, others }
}

async function inflate(zip: ZipFile, entry: Entry, file: string, most: number): Promise<Buffer> {
  const name = JSON.stringify(entry.fileName)
  if (entry.isEncrypted()) throw invalid(file, `${name} is encrypted`)
  const chunks: Buffer[] = []
  let size = 0
  const stream = await zip.openReadStreamPromise(entry)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw invalid(file, `it unpacks to more than ${maxInflatedBytes} bytes`)
    chunks.push(chunk)
  }
  const content = Buffer.concat(chunks)
  if (crc32(content) !== entry.crc32) throw invalid(file, `${name} is damaged`)
  return content
}

function invalid(file: string, problem: unknown): CliError {
  const why = problem instanceof Error ? problem.message : String(problem)
  return new CliError(
    'invalid',
    `${file} is not a whole archive as "mc admin cluster iam export" writes it: ${why}. Nothing was imported`,
    { cause: problem },
  )
}
