import { Resolver } from 'node:dns/promises'
import { Attempts } from '../attempts.ts'
import {
  openConnection,
  type ConnectionSettings,
  type LdapConnection,
  type Target,
} from './connection.ts'

/** A record of RFC 2782. */
type SrvRecord = Readonly<{ name: string; port: number; priority: number; weight: number }>

/** Asks the domain name system for the servers of a service. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>

export type ServerStatus = Readonly<{ server: string; error?: string }>

type ServersOptions = Readonly<{
  /** In the order in which they are tried; or the name under which their records stand. */
  source: Readonly<{ kind: 'list'; targets: readonly Target[] } | { kind: 'srv'; name: string }>
  connection: ConnectionSettings
  clock: () => Date
  resolveSrv: ResolveSrv
}>

type Server = Readonly<{ target: Target; attempts: Attempts }>

const mostServers = 16

/** The real thing, with its own limits. */
export function createResolveSrv(): ResolveSrv {
  const resolver = new Resolver({ timeout: 2000, tries: 2 })
  return (name) => resolver.resolveSrv(name)
}

/** The servers of one directory: the first that can be reached is taken, and one that could not be is left alone a while. */
export class Servers {
  readonly #options: ServersOptions
  #known: readonly Server[] = []

  constructor(options: ServersOptions) {
    this.#options = options
    if (options.source.kind === 'list') this.#remember(options.source.targets)
  }

  /** @throws {Error} of the last one tried, when none can be reached */
  async connect(): Promise<LdapConnection> {
    const servers = await this.#inOrder()
    let problem: unknown = new Error('no server is left to try for now')
    for (const { target, attempts } of servers) {
      if (!attempts.mayBegin()) continue
      attempts.begin()
      try {
        const connection = await openConnection(target, this.#options.connection)
        attempts.succeeded()
        return connection
      } catch (error) {
        attempts.failed(error instanceof Error ? error.message : String(error))
        problem = error
      }
    }
    throw problem
  }

  status(): readonly ServerStatus[] {
    return this.#known.map(({ target, attempts: { error } }) => ({
      server: nameOf(target),
      ...(error !== undefined && { error }),
    }))
  }

  async #inOrder(): Promise<readonly Server[]> {
    const { source, resolveSrv } = this.#options
    if (source.kind === 'srv') this.#remember(orderRecords(await resolveSrv(source.name)))
    return this.#known
  }

  #remember(targets: readonly Target[]): void {
    const before = new Map(this.#known.map((server) => [nameOf(server.target), server]))
    this.#known = targets
      .slice(0, mostServers)
      .map(
        (target) =>
          before.get(nameOf(target)) ?? { target, attempts: new Attempts(this.#options.clock) },
      )
  }
}

/** RFC 2782: the lowest priority first; among equals the heaviest, which is an order that stays the same. */
function orderRecords(records: readonly SrvRecord[]): readonly Target[] {
  return records
    .filter(({ name }) => name !== '' && name !== '.')
    .toSorted((a, b) => a.priority - b.priority || b.weight - a.weight)
    .map(({ name, port }) => ({ host: name.replace(/\.$/, ''), port }))
}

function nameOf({ host, port }: Target): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
