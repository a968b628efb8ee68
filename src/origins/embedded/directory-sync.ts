import { open } from 'node:fs/promises'

/**
 * Syncs one directory, so that the names in it survive a power loss. Whoever asks while a sync is running waits for the
 * next one, together with everybody else who asked: the running one may have begun before his rename.
 */
export class DirectorySync {
  readonly name: string
  readonly #path: string
  #running: Promise<void> = Promise.resolve()
  #waiting: Promise<void> | undefined

  constructor(name: string, path: string) {
    this.name = name
    this.#path = path
  }

  sync(): Promise<void> {
    this.#waiting ??= this.#after(this.#running)
    return this.#waiting
  }

  async #after(previous: Promise<void>): Promise<void> {
    await previous.catch(() => undefined)
    this.#waiting = undefined
    this.#running = syncDirectory(this.#path)
    await this.#running
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
