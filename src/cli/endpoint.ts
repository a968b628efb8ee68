import { CliError } from './cli-error.ts'

const defaultEndpoint = 'http://127.0.0.1:9000'

/** @throws CliError `usage` for what is not the root of an http(s) address. */
export function parseEndpoint(text: string | undefined): URL {
  const given = text || defaultEndpoint
  const url = URL.parse(given)
  const plain = url && url.pathname === '/' && url.search === '' && url.hash === '' && !url.username
  if (!plain || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CliError(
      'usage',
      `An endpoint looks like ${defaultEndpoint}, which "${given}" does not`,
    )
  }
  return url
}
