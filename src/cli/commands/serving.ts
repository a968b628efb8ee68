/** What the system says in codes is said in words. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const { code, path, address, port }: NodeJS.ErrnoException & Place = cause
  const where = path ?? (address === undefined ? undefined : `${address}:${port}`)
  if (where === undefined) return cause.message
  if (code === 'EADDRINUSE') {
    return `${where} is taken by another program; choose another with --address or --operations-address`
  }
  if (code === 'EADDRNOTAVAIL') return `${where} is no address of this machine`
  if (code === 'ENOENT') return `${where} is not there`
  if (code === 'EACCES' || code === 'EPERM') {
    return `This user has no permission for ${where}`
  }
  if (code === 'EEXIST' || code === 'ENOTDIR') return `${where} is not a directory`
  return cause.message
}

type Place = Readonly<{ address?: string; port?: number }>

/** First signal: let running requests end. Second one: stop at once. */
export function stopOnSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const signals = ['SIGINT', 'SIGTERM'] as const
  const now = (): void => process.exit(130)
  const stop = (): void => {
    for (const signal of signals) process.removeListener(signal, stop).once(signal, now)
    resolve()
  }
  for (const signal of signals) process.once(signal, stop)
  return promise
}
