import { readFileSync } from 'node:fs'
import { CliError } from './cli-error.ts'
import type { Context } from './context.ts'

const maxInputBytes = 1024 * 1024

/** The text of a file, or of standard input for `-`. */
export async function readInput(context: Context, file: string): Promise<string> {
  if (file !== '-') return readFile(file)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of context.stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxInputBytes) throw new CliError('usage', 'Standard input holds more than 1 MiB')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CliError('usage', `Cannot read ${file}: ${reason}`, { cause })
  }
}
