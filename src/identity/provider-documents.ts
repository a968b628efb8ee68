import { parseDiscovery, type Discovery } from './discovery.ts'
import type { FetchText } from './fetch-text.ts'
import { parseKeySet, type KeySet } from './key-set.ts'
import type { ProviderSettings } from './provider-settings.ts'
import { parseProviderUrl } from './provider-url.ts'

const fetchLimits = { timeoutMs: 5000, maxBytes: 262_144 }

/** Rejects when it cannot be had, or is not what it should be. */
export async function fetchDiscovery(
  settings: ProviderSettings,
  fetch: FetchText,
): Promise<Discovery> {
  // Configured addresses were checked at start; those from the IAM API come out of the store.
  parseProviderUrl(settings.configUrl, 'its URL', settings.insecureHttp ? 'always' : 'loopback')
  const text = await get(settings.configUrl, 'the discovery document', settings, fetch)
  return parseDiscovery(text, settings)
}

/** Rejects when it cannot be had, or is no key set. One without usable keys is a key set. */
export async function fetchKeySet(
  uri: string,
  settings: ProviderSettings,
  fetch: FetchText,
): Promise<KeySet> {
  return parseKeySet(await get(uri, 'the key set', settings, fetch))
}

async function get(
  url: string,
  what: string,
  { caFile }: ProviderSettings,
  fetch: FetchText,
): Promise<string> {
  // Kubernetes answers 406 for its key set to those who ask for application/json.
  const headers = { accept: '*/*' }
  const answer = await fetch(url, { method: 'GET', headers, caFile, ...fetchLimits })
  if (answer.status === 200) return answer.body
  throw new Error(`${what} was answered with status ${answer.status}`)
}
