import type { DataFiles } from './data-files.ts'
import type { IndexDatabase } from './index-database.ts'
import type { Operation, OriginRequest, OriginResponse } from '../../s3/index.ts'
import type { Writer } from './writer.ts'

/** What the operations stand on. */
export type Ground = Readonly<{
  /** For reading only. */
  index: IndexDatabase
  writer: Writer
  files: DataFiles
  now: () => number
  /** The random end of an identifier: 128 bits, hex. */
  nonce: () => string
}>

export type Handlers = {
  [Name in Operation]: (
    ground: Ground,
    request: OriginRequest<Name>,
  ) => Promise<OriginResponse<Name>>
}
