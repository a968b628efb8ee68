import type { Way } from './connection.ts'
import { wayKey } from './connection.ts'
import { TenantClient, type Ground } from './tenant-client.ts'

/** So many tenants keep their connections; the one that was asked for longest ago gives way. */
const most = 256

/** The clients of tenants, one for each, made anew when the way to it is another one. */
export class TenantClients {
  readonly #ground: Ground
  readonly #most: number
  /** The order is that of use. */
  readonly #open = new Map<string, TenantClient>()

  constructor(ground: Ground, limit = most) {
    this.#ground = ground
    this.#most = limit
  }

  get size(): number {
    return this.#open.size
  }

  get(tenant: string, way: Way): TenantClient {
    const present = this.#open.get(tenant)
    const isSame = present?.key === wayKey(way)
    const client = isSame && present ? present : new TenantClient(way, this.#ground)
    if (present && !isSame) this.#end(present)
    this.#open.delete(tenant)
    this.#open.set(tenant, client)
    const [oldest] = this.#open.keys()
    if (this.#open.size > this.#most && oldest !== undefined) this.forget(oldest)
    return client
  }

  /** Lets go of what is under way to the tenant, and closes. */
  forget(tenant: string): void {
    const client = this.#open.get(tenant)
    this.#open.delete(tenant)
    if (client) this.#end(client)
  }

  tenants(): readonly string[] {
    return [...this.#open.keys()]
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(all.map((client) => client.close()))
  }

  #end(client: TenantClient): void {
    // Nobody waits for it, and a pool that does not close has nothing left to say.
    client.close().catch(() => undefined)
  }
}
