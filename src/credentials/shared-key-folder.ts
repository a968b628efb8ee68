import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Refresher } from './refresher.ts'
import type { RingKey } from './ring-key.ts'
import type { SessionRing } from './session-ring.ts'
import { parseSharedKeys, sharedRingKey } from './shared-keys.ts'

/** Keys in a folder: a mounted Secret, one file for each id, and `active`. */
export interface SharedKeyFolder {
  find(id: string): RingKey | undefined
  /** Looks at the files now; a bounded number of times, however many ask. Rejects when they make no sense. */
  refresh(): Promise<void>
  close(): void
}

export type SharedKeyFolderOptions = Readonly<{
  dir: string
  /** `NAMESPACE/NAME`: the only one whose sessions these keys open. */
  tenant: string
  /** For the log: what stands there cannot be read or understood; the keys of before stay. */
  onError: (error: unknown) => void
}>

const lookMs = 2000
const pauseMs = 200

type Known = Readonly<{ bytes: Buffer; key: RingKey }>

/**
 * Keys come and go while sessions live: files are looked at every two seconds, and when a token names a key that is not known.
 * @throws Error that says what to do, when the folder cannot be read or understood at the start
 */
export function openSharedKeyFolder(options: SharedKeyFolderOptions): SharedKeyFolder {
  const { dir, tenant } = options
  let known: ReadonlyMap<string, Known> = new Map()
  let stamp = ''
  let reported = ''

  function load(): void {
    const now = stampOf(dir)
    if (now === stamp) return
    const { keys } = read(dir)
    // The same key stays the same object: sessions that were opened by it stay open. One with other bytes is another key.
    known = new Map(
      [...keys].map(([id, bytes]) => {
        const present = known.get(id)
        if (present?.bytes.equals(bytes)) return [id, present]
        return [id, { bytes, key: sharedRingKey(id, bytes, tenant) }]
      }),
    )
    stamp = now
    reported = ''
  }

  load()
  const refresher = new Refresher(async () => load(), pauseMs)
  const timer = setInterval(() => {
    refresher.refresh().catch((error: unknown) => {
      const text = String(error)
      if (text !== reported) options.onError(error)
      reported = text
    })
  }, lookMs).unref()
  return {
    find: (id) => known.get(id)?.key,
    refresh: () => refresher.refresh(),
    close: () => clearInterval(timer),
  }
}

/** What this installation seals stays its own; shared keys only open, and never in the place of one of its own. */
export function withSharedKeys(own: SessionRing, shared: SharedKeyFolder): SessionRing {
  return {
    get activeKey() {
      return own.activeKey
    },
    find: (id) => own.find(id) ?? shared.find(id),
    async fetch(id) {
      const mine = await own.fetch(id)
      if (mine) return mine
      await shared.refresh()
      return shared.find(id)
    },
  }
}

/** Kubernetes keeps its own links in there, whose names begin with a dot. */
function namesIn(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => !name.startsWith('.'))
    .toSorted()
}

function stampOf(dir: string): string {
  try {
    return namesIn(dir)
      .map((name) => {
        const { ino, mtimeMs, size } = statSync(join(dir, name))
        return `${name}:${ino}:${mtimeMs}:${size}`
      })
      .join()
  } catch (cause) {
    throw unreadable(dir, cause)
  }
}

function read(dir: string): ReturnType<typeof parseSharedKeys> {
  const texts = namesIn(dir).map((name) => [name, textOf(dir, name)] as const)
  try {
    return parseSharedKeys(new Map(texts))
  } catch (cause) {
    throw new Error(`${dir}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

function textOf(dir: string, name: string): string {
  try {
    return readFileSync(join(dir, name), 'latin1')
  } catch (cause) {
    throw unreadable(dir, cause)
  }
}

function unreadable(dir: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Error(`the folder of shared session keys ${dir} cannot be read (${reason})`, { cause })
}
