import type { Output } from '../context.ts'
import { table } from '../table.ts'

export type Kind =
  | 'policy'
  | 'group'
  | 'membership'
  | 'user'
  | 'group mapping'
  | 'user mapping'
  | 'LDAP mapping'
  | 'service account'
  | 'entry'

/**
 * `carried`: is here now. `unchanged`: was here already, the same. `replaced`: was here, otherwise. `altered`: is here, but not
 * as it was there. `left`: stayed behind.
 */
export type Outcome = 'carried' | 'unchanged' | 'replaced' | 'altered' | 'left'

export type Line = Readonly<{ kind: Kind; name: string; outcome: Outcome; reason?: string }>

/** What became of each thing in the archive, line by line. */
export class Report {
  readonly lines: Line[] = []
  readonly #notes: Readonly<{ kind: Kind; name: string; note: string }>[] = []

  add(kind: Kind, name: string, outcome: 'carried' | 'unchanged' | 'replaced'): void {
    this.lines.push({ kind, name, outcome })
  }

  /** What an administrator has to read. */
  remark(kind: Kind, name: string, outcome: 'altered' | 'left', reason: string): void {
    this.lines.push({ kind, name, outcome, reason })
  }

  /** Worth knowing of something that is here as it was there. */
  note(kind: Kind, name: string, note: string): void {
    this.#notes.push({ kind, name, note })
  }

  /** Whether something is not here as it was there. */
  get isWhole(): boolean {
    return this.lines.every(({ reason }) => reason === undefined)
  }

  output(dryRun: boolean, stopped?: string): Output {
    const remarks = this.lines.filter(({ reason }) => reason !== undefined)
    const counts = this.#counts()
    const rows = remarks.map(({ kind, name, reason = '' }) => [kind, name, reason])
    const text = [
      dryRun ? 'A dry run: nothing was changed. What would come of it:' : 'What came of it:',
      table(
        ['KIND', 'CARRIED OVER', 'REPLACED', 'THERE ALREADY', 'ALTERED', 'LEFT BEHIND'],
        counts,
      ),
      ...(rows.length === 0
        ? ['', 'Nothing stayed behind.']
        : ['', 'Altered or left behind:', table(['KIND', 'NAME', 'WHY'], rows)]),
      ...(this.#notes.length === 0
        ? []
        : ['', 'Here, but worth a look:', table(['KIND', 'NAME', 'NOTE'], this.#noteRows())]),
    ]
    const { lines } = this
    const notes = this.#notes
    const value = { dryRun, whole: this.isWhole && stopped === undefined, stopped, lines, notes }
    return { value, text: text.join('\n') }
  }

  #noteRows(): readonly (readonly string[])[] {
    return this.#notes.map(({ kind, name, note }) => [kind, name, note])
  }

  #counts(): readonly (readonly string[])[] {
    const kinds = [...new Set(this.lines.map(({ kind }) => kind))]
    const outcomes: readonly Outcome[] = ['carried', 'replaced', 'unchanged', 'altered', 'left']
    return kinds.map((kind) => [
      kind,
      ...outcomes.map((outcome) =>
        String(this.lines.filter((line) => line.kind === kind && line.outcome === outcome).length),
      ),
    ])
  }
}
