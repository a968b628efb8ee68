import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe } from 'node:test'
import { keepsItsBounds } from '../../test/bounds/index.ts'
import { loadConfig } from './load.ts'
import { ConfigError } from './problem.ts'
import { readRootCredentials } from './root-credentials.ts'

const refuses = (error: unknown) => error instanceof ConfigError

describe('bounds of the environment and of the file of the root key', () => {
  const dir = mkdtempSync(join(tmpdir(), 'daypass-bounds-'))
  after(() => rmSync(dir, { recursive: true }))
  const written = (text: string) => {
    const file = join(dir, 'root-credentials.json')
    writeFileSync(file, text, { mode: 0o600 })
    return file
  }

  keepsItsBounds({
    name: 'the environment',
    parse: (text) => {
      const values = ['MINIO_STS_DURATION', 'MINIO_DOMAIN', 'DAYPASS_ADDRESS', 'MINIO_ROOT_USER']
      for (const name of values) {
        try {
          loadConfig({ env: { [name]: text } })
        } catch (error) {
          if (!refuses(error)) throw error
        }
      }
    },
    refuses,
    words: ['1', 'h', ',', '.', ':', ' ', '['],
  })
  keepsItsBounds({
    name: 'the file of the root key',
    parse: (text) => readRootCredentials(written(text)),
    refuses: (error) => error instanceof Error && !(error instanceof RangeError),
    words: ['{', '"', '[', '"accessKeyId":', ','],
    frames: [(rest) => rest, (rest) => `{"accessKeyId":"${rest}"}`],
  })
})
