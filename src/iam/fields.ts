import type { Form } from './form.ts'

/** Deeper than any list of lists in this API. */
const deepest = 8

/** The fields of one call while they are read: what nobody takes is a parameter that the action does not know. */
export class Fields {
  readonly #rest: Map<string, string>
  readonly #names: ReadonlySet<string>

  constructor(form: Form) {
    this.#rest = new Map(form)
    this.#names = new Set([...form.keys()].flatMap(namesIn))
  }

  /** Empty text is no value: clients send empty fields for what people left out. */
  take(name: string): string | undefined {
    const value = this.takeText(name)
    return value === '' ? undefined : value
  }

  /** Empty text counts, as the value of a tag does. */
  takeText(name: string): string | undefined {
    const value = this.#rest.get(name)
    this.#rest.delete(name)
    return value
  }

  /** Whether the call came with a field of this name, or with a member of it. */
  has(name: string): boolean {
    return this.#names.has(name)
  }

  left(): Iterable<string> {
    return this.#rest.keys()
  }
}

/** `Tags.member.1.Key` -> `Tags`, `Tags.member`, `Tags.member.1` and itself */
function namesIn(field: string): string[] {
  const names = [field]
  let dot = field.indexOf('.')
  for (let depth = 0; dot >= 0 && depth < deepest; depth++) {
    names.push(field.slice(0, dot))
    dot = field.indexOf('.', dot + 1)
  }
  return names
}
