import { fileURLToPath } from 'node:url'

/** The path of a program of the bench, by its name below this directory. */
export function program(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** What people start, as it stands in this repository. */
export const daypassProgram = fileURLToPath(new URL('../src/cli/daypass.ts', import.meta.url))
