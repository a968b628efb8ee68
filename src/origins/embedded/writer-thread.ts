/** The writer's thread: owns the one connection that writes; a batch comes in, its outcomes go out. */
import { parentPort, workerData } from 'node:worker_threads'
import { runBatch } from './batch.ts'
import type { Batch } from './commands.ts'
import { IndexDatabase } from './index-database.ts'
import { KeptFiles } from './kept-files.ts'

if (parentPort === null) throw new Error('the writer runs as a worker thread only')
const port = parentPort
const file = String(workerData)
const index = IndexDatabase.openWriter(file)
const counter = index.row<{ sequence: number }>('SELECT sequence FROM counter')
const context = { index, sequence: counter?.sequence ?? 0, garbage: [] }
// After the first read, which makes the log if it is not there. It stays until the last connection closes.
const kept = new KeptFiles([file, `${file}-wal`])

port.on('message', (batch: Batch | 'close') => {
  if (batch === 'close') {
    index.close()
    port.close()
    return
  }
  port.postMessage(runBatch(context, kept, batch))
})
port.postMessage('ready')
