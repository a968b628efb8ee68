import { CliError } from './cli-error.ts'

/** A JSON answer, read member by member. What is not there, or is of another kind, is `undefined` or empty. */
export class Answer {
  readonly #value: unknown

  constructor(value: unknown) {
    this.#value = value
  }

  /** @throws CliError when the text is not JSON. */
  static parse(text: string): Answer {
    try {
      return new Answer(JSON.parse(text))
    } catch (cause) {
      throw new CliError('unreachable', 'The answer is not one of a Daypass server', { cause })
    }
  }

  member(name: string): Answer {
    const value = this.#value
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      return new Answer(undefined)
    }
    return new Answer(Object.getOwnPropertyDescriptor(value, name)?.value)
  }

  items(name: string): readonly Answer[] {
    const list = this.member(name).#value
    return Array.isArray(list) ? list.map((item) => new Answer(item)) : []
  }

  text(name: string): string | undefined {
    const value = this.member(name).#value
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
  }

  flag(name: string): boolean {
    return this.member(name).#value === true
  }

  get value(): unknown {
    return this.#value
  }
}
