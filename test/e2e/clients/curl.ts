import { demandProgram } from '../programs.ts'
import { region } from '../keys.ts'
import type { Place } from './store-client.ts'

export const curlPath = '/usr/bin/curl'

/** A request that curl itself signs. The answer's body; throws for every status from 400 on, body in the message. */
export function curl(
  { endpoint, keys, dir }: Place,
  service: 's3' | 'sts',
  target: string,
  args: readonly string[] = [],
): Promise<Buffer> {
  const signature = [
    '--aws-sigv4',
    `aws:amz:${region}:${service}`,
    '--user',
    `${keys.accessKeyId}:${keys.secretAccessKey}`,
    '--header',
    `x-amz-security-token: ${keys.sessionToken}`,
  ]
  const quiet = ['--silent', '--show-error', '--fail-with-body']
  return demandProgram(curlPath, [...quiet, ...signature, ...args, endpoint + target], {
    cwd: dir,
  })
}
