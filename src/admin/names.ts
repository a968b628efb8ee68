import { AdminError } from './admin-error.ts'

/** IAM user names (AWS IAM API reference, CreateUser); no `/`, so they stand in keys and ARNs as they are. */
const userName = /^[\w+=,.@-]{1,64}$/
/** Like IAM's, without the comma, since policy claims are comma lists, and with the colon that MinIO's users like. */
const policyName = /^[\w+=.@:-]{1,128}$/
const accessKeyId = /^[A-Za-z0-9_.-]{3,128}$/

/** What `aws:userid` says of root and of root's sessions: "everybody but root" in a policy must spare no user. */
const namesOfRoot: ReadonlySet<string> = new Set(['root', '000000000000'])

export function checkUserName(name: string): void {
  if (namesOfRoot.has(name)) {
    throw new AdminError(
      'invalid_name',
      `A user cannot be called "${name}": that is what root goes by`,
    )
  }
  if (!userName.test(name)) {
    throw new AdminError(
      'invalid_name',
      'A user name has 1 to 64 letters, digits or characters of _+=,.@-',
    )
  }
}

export function checkPolicyName(name: string): void {
  if (!policyName.test(name)) {
    throw new AdminError(
      'invalid_name',
      'A policy name has 1 to 128 letters, digits or characters of _+=.@:-',
    )
  }
}

/** Ids of temporary keys begin with `ASIA`; a long-lived key of that shape would never be looked up. */
export function checkAccessKey(id: string, secret: string): void {
  if (!accessKeyId.test(id) || id.startsWith('ASIA')) {
    throw new AdminError(
      'invalid_key',
      'An access key id has 3 to 128 letters, digits or characters of _.- and does not begin with ASIA',
    )
  }
  if (secret.length < 8 || secret.length > 128) {
    throw new AdminError('invalid_key', 'A secret access key has 8 to 128 characters')
  }
}
