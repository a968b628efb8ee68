import { AdminError } from './admin-error.ts'
import { providerArn, providerNameOf } from './arn.ts'
import { providerKey, read, write } from './documents.ts'
import type { ProviderDocument } from './documents.ts'
import { storedProvider } from './entities.ts'
import { put, unchanged } from './ledger.ts'
import { checkClientIds, checkTags, checkThumbprints, providerName } from './names.ts'
import type { Tools } from './tools.ts'
import type { NewProvider, RegisteredProvider } from './types.ts'

/** Changes of OpenID Connect providers. */
export class Providers {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async create(provider: NewProvider): Promise<RegisteredProvider> {
    const { ledger, snapshot } = this.#tools
    const { url, tags } = provider
    const name = providerName(url)
    const clientIds = [...new Set(provider.clientIds)]
    const thumbprints = [...new Set(provider.thumbprints)]
    checkClientIds(clientIds)
    checkThumbprints(thumbprints)
    if (tags) checkTags(tags)
    if (snapshot.findProvider(providerArn(name))) throw exists(url)
    return ledger.change(async () => {
      if (await ledger.get(providerKey(name))) throw exists(url)
      const document: ProviderDocument = {
        url,
        clientIds,
        thumbprints,
        tags: [...(tags ?? [])],
        createdAt: ledger.now(),
      }
      return {
        conditions: [{ key: providerKey(name), revision: 0 }],
        writes: [put(providerKey(name), write(document))],
        result: storedProvider(name, document),
      }
    })
  }

  async delete(arn: string): Promise<void> {
    const { ledger, options } = this.#tools
    const name = this.#stored(arn)
    const { url } = await ledger.change(async () => {
      const entry = await ledger.get(providerKey(name))
      if (!entry) throw noProvider(arn)
      return {
        conditions: [unchanged(entry)],
        writes: [{ kind: 'delete', key: entry.key }],
        result: read('provider', entry.value),
      }
    })
    await options.revokeProvider({ arn: providerArn(name), url })
  }

  async addClientId(arn: string, clientId: string): Promise<void> {
    await this.change(arn, (provider) => {
      const clientIds = [...new Set([...provider.clientIds, clientId])]
      checkClientIds(clientIds)
      return { ...provider, clientIds }
    })
  }

  /** One that is not there is no error (AWS IAM API reference). */
  async removeClientId(arn: string, clientId: string): Promise<void> {
    await this.change(arn, (provider) => ({
      ...provider,
      clientIds: provider.clientIds.filter((other) => other !== clientId),
    }))
  }

  async updateThumbprints(arn: string, thumbprints: readonly string[]): Promise<void> {
    checkThumbprints(thumbprints)
    await this.change(arn, (provider) => ({ ...provider, thumbprints: [...new Set(thumbprints)] }))
  }

  async change(
    arn: string,
    decide: (document: ProviderDocument) => ProviderDocument,
  ): Promise<void> {
    const { ledger } = this.#tools
    const name = this.#stored(arn)
    await ledger.change(async () => {
      const entry = await ledger.get(providerKey(name))
      if (!entry) throw noProvider(arn)
      return {
        conditions: [unchanged(entry)],
        writes: [put(entry.key, write(decide(read('provider', entry.value))))],
        result: undefined,
      }
    })
  }

  #stored(arn: string): string {
    const found = this.#tools.snapshot.findProvider(arn)
    const name = providerNameOf(arn)
    if (!found || name === undefined) throw noProvider(arn)
    if (found.managedBy === 'api') return name
    throw new AdminError(
      'unmodifiable',
      `The provider ${arn} is declared in the configuration file`,
    )
  }
}

function noProvider(arn: string): AdminError {
  return new AdminError(
    'no_such_entity',
    `There is no OpenID Connect provider ${arn.slice(0, 300)}`,
  )
}

function exists(url: string): AdminError {
  return new AdminError('already_exists', `There is a provider for ${url} already`)
}
