/** What a bucket should hold, kept in the plainest way: the reference that an origin is compared with. */
export type ModelObject = Readonly<{ bytes: Buffer; etag: string }>

export type ModelVersion = Readonly<{ key: string; versionId: string; object?: ModelObject }>

export class Model {
  versioning: 'Off' | 'Enabled' | 'Suspended' = 'Off'
  /** Of each key the newest first. */
  readonly #keys = new Map<string, ModelVersion[]>()

  put(key: string, versionId: string, object: ModelObject): void {
    this.#add({ key, versionId, object })
  }

  /** `versionId`: of the delete marker, if there is one. */
  delete(key: string, versionId: string | undefined): void {
    if (this.versioning === 'Off') this.deleteVersion(key, 'null')
    else this.#add({ key, versionId: versionId ?? 'missing' })
  }

  deleteVersion(key: string, versionId: string): void {
    const left = this.#of(key).filter((version) => version.versionId !== versionId)
    if (left.length > 0) this.#keys.set(key, left)
    else this.#keys.delete(key)
  }

  pick(number: number): ModelVersion | undefined {
    const all = this.all()
    return all[number % Math.max(all.length, 1)]
  }

  all(): ModelVersion[] {
    const keys = [...this.#keys.keys()].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    return keys.flatMap((key) => this.#of(key))
  }

  /** Keys with their ETags, and common prefixes. */
  list(prefix: string, delimiter: string): string[] {
    const entries = new Set<string>()
    for (const [key, [latest]] of this.#keys) {
      if (latest?.object === undefined || !key.startsWith(prefix)) continue
      const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
      entries.add(at === -1 ? `${key} ${latest.object.etag}` : key.slice(0, at + delimiter.length))
    }
    return [...entries]
  }

  versions(): { key: string; versionId: string; isLatest: boolean; deleteMarker: boolean }[] {
    return this.all().map((version) => ({
      key: version.key,
      versionId: version.versionId,
      isLatest: this.#of(version.key)[0] === version,
      deleteMarker: version.object === undefined,
    }))
  }

  #add(version: ModelVersion): void {
    const others = this.#of(version.key).filter(
      ({ versionId }) => versionId !== 'null' || version.versionId !== 'null',
    )
    this.#keys.set(version.key, [version, ...others])
  }

  #of(key: string): ModelVersion[] {
    return this.#keys.get(key) ?? []
  }
}
