/** One thing that is wrong with the configuration: where, and what to do. */
export type Problem = Readonly<{ path: string; message: string }>

/** All problems at once, since nobody likes to meet them one by one. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(
      ({ path, message }) => `  ${path === '' ? '(top)' : path}: ${message}`,
    )
    super(`The configuration has ${problems.length} problem(s):\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.problems = problems
  }
}
