import { readFileSync, statSync } from 'node:fs'
import type { TlsMaterial, TlsPair } from './tls-material.ts'

const pollMs = 2000

/** Certificate and key, read again when either file changes. A pair that cannot be read leaves the old one in place. */
export function watchTlsFiles(
  files: Readonly<{ certFile: string; keyFile: string }>,
  onError: (error: unknown) => void,
): TlsMaterial {
  const read = (): TlsPair => ({
    cert: readFileSync(files.certFile),
    key: readFileSync(files.keyFile),
  })
  // Polling sees renames, symlink swaps (Kubernetes Secrets) and network file systems alike.
  const stamp = (): string =>
    [files.certFile, files.keyFile]
      .map((file) => statSync(file, { throwIfNoEntry: false }))
      .map((stat) => `${stat?.ino}:${stat?.mtimeMs}:${stat?.size}`)
      .join()
  return {
    read,
    onChange(use) {
      let seen = stamp()
      const timer = setInterval(() => {
        // All of it: a directory that cannot be looked into for a moment must not end the process.
        try {
          const now = stamp()
          if (now === seen) return
          use(read())
          seen = now
        } catch (error) {
          onError(error)
        }
      }, pollMs).unref()
      return () => clearInterval(timer)
    },
  }
}
