import { isWireCode } from './client.ts'
import type { Client } from './client.ts'

/**
 * People name policies, the wire wants ARNs: those made here stand under the account, built-in ones under `aws`.
 * Tries the first, then the second; an ARN is taken as it is. What the first says stands when both are absent.
 */
export async function withPolicyArn<T>(name: string, use: (arn: string) => Promise<T>): Promise<T> {
  if (name.startsWith('arn:')) return use(name)
  try {
    return await use(`arn:aws:iam::000000000000:policy/${name}`)
  } catch (error) {
    if (!isWireCode(error, 'NoSuchEntity')) throw error
    return use(`arn:aws:iam::aws:policy/${name}`).catch((second: unknown) => {
      throw isWireCode(second, 'NoSuchEntity') ? error : second
    })
  }
}

/** A new version that acts at once. The oldest one that does not act goes, when there are five. */
export async function addPolicyVersion(
  client: Client,
  PolicyArn: string,
  PolicyDocument: string,
): Promise<void> {
  const versions = await client.list('ListPolicyVersions', 'Versions', { PolicyArn })
  const oldest = versions.find((version) => !version.flag('IsDefaultVersion'))
  if (versions.length >= 5 && oldest) {
    const VersionId = oldest.text('VersionId')
    await client.call('iam', 'DeletePolicyVersion', { PolicyArn, VersionId })
  }
  const fields = { PolicyArn, PolicyDocument, SetAsDefault: 'true' }
  await client.call('iam', 'CreatePolicyVersion', fields)
}
