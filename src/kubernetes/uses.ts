type Use = { count: number; usedAt: Date; writtenAt: number }

/** Once for each binding, at most; a binding that is used all the time is one write a minute. */
const everyMs = 60_000

/** Which bindings have given something, and how often, since that was last written down. */
export class Uses {
  readonly #all = new Map<string, Use>()

  add(id: string, now: Date): void {
    const known = this.#all.get(id)
    if (known === undefined) this.#all.set(id, { count: 1, usedAt: now, writtenAt: -Infinity })
    else {
      known.count += 1
      known.usedAt = now
    }
  }

  /** Those to write down now, the longest unwritten first. `all`: those too that were written a moment ago. */
  due(
    most: number,
    all: boolean,
  ): readonly Readonly<{ id: string; count: number; usedAt: Date }>[] {
    const oldest = performance.now() - everyMs
    for (const [id, { count, writtenAt }] of this.#all) {
      if (count === 0 && writtenAt < oldest) this.#all.delete(id)
    }
    return [...this.#all]
      .filter(([, { count, writtenAt }]) => count > 0 && (all || writtenAt < oldest))
      .toSorted(([, a], [, b]) => a.writtenAt - b.writtenAt)
      .slice(0, most)
      .map(([id, { count, usedAt }]) => ({ id, count, usedAt }))
  }

  /** So many are written down; what has come in the meantime is not. */
  written(id: string, count: number): void {
    const known = this.#all.get(id)
    if (known === undefined) return
    known.count -= count
    known.writtenAt = performance.now()
  }

  forget(id: string): void {
    this.#all.delete(id)
  }
}
