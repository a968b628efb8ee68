import { statSync } from 'node:fs'

/**
 * Tells whether files are still where they were. One that was deleted, moved or replaced while it was open goes on
 * taking writes, which nobody will find again.
 */
export class KeptFiles {
  readonly #files: ReadonlyMap<string, string | undefined>

  constructor(paths: readonly string[]) {
    this.#files = new Map(paths.map((path) => [path, identityOf(path)]))
  }

  /** Microseconds, where a commit takes a hundred or more. @throws Error naming the first one that is gone. */
  assertKept(): void {
    for (const [path, identity] of this.#files) {
      if (identity === undefined || identityOf(path) !== identity) throw lost(path)
    }
  }
}

export function lost(path: string): Error {
  return new Error(
    `${path} was deleted, moved or replaced while it is being served: put it back, or stop the server and restore it`,
  )
}

/** Never that of another file while one of us has this one open. `undefined`: there is none, or none to be seen. */
export function identityOf(path: string): string | undefined {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false })
    return found && `${found.dev}:${found.ino}`
  } catch {
    return undefined
  }
}
