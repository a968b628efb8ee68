import type { Secret } from '../../secret.ts'
import { parseProviderUrl } from '../provider-url.ts'
import { pluginRoleArn } from './role-arn.ts'

/** The webhook that judges tokens of a kind of its own, as configured. What is left out has the stated default. */
export type CustomTokenSettings = Readonly<{
  /** What principals call it; default `custom`, so that `aws:userid` of alice is `custom:alice` as at MinIO. */
  name?: string | undefined
  /** https, or http on loopback. */
  url: string
  /** Sent as the `Authorization` header, word for word. */
  authToken?: Secret | undefined
  /** The policies of everybody whom the plugin knows. */
  rolePolicy: readonly string[]
  /** The end of the role ARN instead of a hash of `url`. */
  roleId?: string | undefined
  /** The region in the role ARN; default: none. */
  region?: string | undefined
  /** `query`, the default, as MinIO sends it; `body`: as a form, where no access log of the plugin's shows it. */
  tokenIn?: 'query' | 'body' | undefined
  /** For the whole of an answer: 100 to 30000, default 5000. */
  timeoutMs?: number | undefined
  /** PEM file: the only certificate authorities that are trusted for the plugin. Read again when it changes. */
  caFile?: string | undefined
  /** Lets it be asked over plain http beyond loopback: whoever sits in between can be anybody then. */
  insecureHttp?: boolean | undefined
}>

/** `CustomTokenSettings` that have been checked, with their defaults filled in. */
export type Plugin = Readonly<{
  name: string
  url: URL
  authorization: Secret | undefined
  roleArn: string
  tokenIn: 'query' | 'body'
  timeoutMs: number
  caFile: string | undefined
}>

/** @throws {TypeError} saying what is wrong */
export function parsePlugin(settings: CustomTokenSettings): Plugin {
  const { name = 'custom', tokenIn = 'query', timeoutMs = 5000, authToken, insecureHttp } = settings
  if (name === '') throw new TypeError('name: it is empty')
  // `aws:userid` is `provider:subject`: the user `alice` of such a plugin would pass for our own.
  if (name === 'internal') throw new TypeError('name: "internal" is that of users and root')
  if (settings.rolePolicy.length === 0 || settings.rolePolicy.includes('')) {
    throw new TypeError('rolePolicy: an empty list or name gives nothing')
  }
  if (!(timeoutMs >= 100 && timeoutMs <= 30_000)) {
    throw new TypeError('timeoutMs: not between 100 and 30000')
  }
  if (authToken && !/^[\x20-\x7e]+$/.test(authToken.reveal())) {
    throw new TypeError('authToken: a header cannot carry it')
  }
  return {
    name,
    url: parseProviderUrl(settings.url, 'url', insecureHttp === true ? 'always' : 'loopback'),
    authorization: authToken,
    roleArn: pluginRoleArn(settings),
    tokenIn,
    timeoutMs,
    caFile: settings.caFile,
  }
}
