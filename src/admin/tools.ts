import type { Holders } from './holders.ts'
import type { Ledger } from './ledger.ts'
import type { AdministrationOptions } from './options.ts'
import type { Snapshot } from './snapshot.ts'

/** What the changes of every kind of thing work with. */
export type Tools = Readonly<{
  options: AdministrationOptions
  snapshot: Snapshot
  ledger: Ledger
  holders: Holders
  random: (bytes: number) => Buffer
}>
