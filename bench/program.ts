import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Workplace } from './workplace.ts'

/** The path of a program of the bench, by its name below this directory. */
export function program(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** What people start, as it stands in this repository. */
export const daypassProgram = fileURLToPath(new URL('../src/cli/daypass.ts', import.meta.url))

const repository = fileURLToPath(new URL('..', import.meta.url))

/** What is published: the program as `npm run build` makes it, in the part's own directory. */
export async function buildDaypass(place: Workplace): Promise<string> {
  const { dir } = place
  const compiler = join(repository, 'node_modules/typescript/bin/tsc')
  const project = join(repository, 'tsconfig.build.json')
  await place.run([
    compiler,
    '-p',
    project,
    '--outDir',
    join(dir, 'dist'),
    '--declaration',
    'false',
  ])
  cpSync(join(repository, 'package.json'), join(dir, 'package.json'))
  symlinkSync(join(repository, 'node_modules'), join(dir, 'node_modules'))
  return join(dir, 'dist/cli/daypass.js')
}
