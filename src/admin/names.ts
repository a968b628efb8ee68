import { AdminError } from './admin-error.ts'
import type { LdapSubject, Tags } from './types.ts'

/** IAM user names (AWS IAM API reference, CreateUser); no `/`, so they stand in keys and ARNs as they are. */
const entityName = /^[\w+=,.@-]{1,64}$/
const groupName = /^[\w+=,.@-]{1,128}$/
/** Like IAM's, without the comma, since policy claims are comma lists, and with the colon that MinIO's users like. */
const policyName = /^[\w+=.@:-]{1,128}$/
/** Whoever comes from MinIO signs with a name, which may be an address. */
/** As the configuration has it. */
const directoryName = /^[A-Za-z0-9_.-]{1,64}$/
const accessKeyId = /^[A-Za-z0-9_.@+-]{3,128}$/

/** What `aws:userid` says of root and of root's sessions: "everybody but root" in a policy must spare no user. */
const namesOfRoot: ReadonlySet<string> = new Set(['root', '000000000000'])

export function checkUserName(name: string): void {
  if (namesOfRoot.has(name)) {
    throw invalidName(`A user cannot be called "${name}": that is what root goes by`)
  }
  if (entityName.test(name)) return
  throw invalidName('A user name has 1 to 64 letters, digits or characters of _+=,.@-')
}

export function checkRoleName(name: string): void {
  if (entityName.test(name)) return
  throw invalidName('A role name has 1 to 64 letters, digits or characters of _+=,.@-')
}

export function checkGroupName(name: string): void {
  if (groupName.test(name)) return
  throw invalidName('A group name has 1 to 128 letters, digits or characters of _+=,.@-')
}

/** Of managed and of inline policies. */
export function checkPolicyName(name: string): void {
  if (policyName.test(name)) return
  throw invalidName('A policy name has 1 to 128 letters, digits or characters of _+=.@:-')
}

/** Ids of temporary keys begin with `ASIA`; a long-lived key of that shape would never be looked up. */
export function checkAccessKey(id: string, secret: string): void {
  if (!accessKeyId.test(id) || id.startsWith('ASIA')) {
    throw new AdminError(
      'invalid_key',
      'An access key id has 3 to 128 letters, digits or characters of _.@+- and does not begin with ASIA',
    )
  }
  if (secret.length < 8 || secret.length > 128) {
    throw new AdminError('invalid_key', 'A secret access key has 8 to 128 characters')
  }
}

/** A normalised DN; who normalises it is the caller. 700 bytes are what a key of the store has room for. */
export function checkLdapSubject({ name, directory }: LdapSubject): void {
  if (directory !== undefined && !directoryName.test(directory)) {
    throw invalidName('A directory is called as in the configuration: 1 to 64 of A-Z a-z 0-9 _.-')
  }
  const fits = name.isWellFormed() && Buffer.byteLength(name) <= 700
  if (fits && /^[^\p{Cc}]+=[^\p{Cc}]*$/u.test(name)) return
  throw invalidName(
    'A distinguished name is like uid=alice,dc=example,dc=org, and has at most 700 bytes',
  )
}

const maxTags = 50
/** AWS IAM API reference, Tag. */
const tagText = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** @throws AdminError `invalid_value` or `limit_exceeded` */
export function checkTags(tags: Tags): void {
  const seen = new Set<string>()
  for (const [key, value] of tags) {
    if (!isTagText(key, 128) || key === '' || /^aws:/i.test(key)) {
      throw invalidValue(
        'A tag key has 1 to 128 letters, digits, spaces or characters of _.:/=+-@ and does not begin with aws:',
      )
    }
    if (!isTagText(value, 256)) {
      throw invalidValue(
        'A tag value has at most 256 letters, digits, spaces or characters of _.:/=+-@',
      )
    }
    // Condition keys tell tag keys apart by their exact letters, IAM's clients do not.
    const folded = key.toLowerCase()
    if (seen.has(folded))
      throw invalidValue(`The tag key "${key}" is there twice, but for its case`)
    seen.add(folded)
  }
  if (tags.size > maxTags) {
    throw new AdminError('limit_exceeded', `There are at most ${maxTags} tags on one thing`)
  }
}

function isTagText(text: string, longest: number): boolean {
  return text.length <= longest && text.isWellFormed() && tagText.test(text)
}

export function checkAccessKeyName(name: string): void {
  if (name.length <= 128 && name.isWellFormed() && !/\p{Cc}/u.test(name)) return
  throw invalidValue('The name of a key has at most 128 characters, and no control characters')
}

export function checkDescription(text: string): void {
  if (
    text.length <= 1000 &&
    text.isWellFormed() &&
    /^[\t\n\r\u0020-\u007e\u00a1-\uffff]*$/.test(text)
  )
    return
  throw invalidValue('A description has at most 1000 characters, and no control characters')
}

/** AWS IAM API reference, CreateRole: 1 to 12 hours. */
export function checkMaxSessionSeconds(seconds: number): void {
  if (Number.isSafeInteger(seconds) && seconds >= 3600 && seconds <= 43_200) return
  throw invalidValue('The longest session of a role has 3600 to 43200 seconds')
}

/**
 * The issuer's URL, as tokens name it: `https` (or `http` to this machine, where nobody can listen in between), a host in
 * lower case, no user, query or fragment, no slash at the end.
 * @returns what stands behind the scheme: the name of the provider in its ARN
 */
export function providerName(url: string): string {
  const shape =
    /^https?:\/\/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[1-9]\d{0,4})?(?:\/[\w.~!$&'()*+,;=:@%-]+)*)$/
  const name = url.length <= 255 ? shape.exec(url)?.[1] : undefined
  const isSafe =
    url.startsWith('https:') || /^http:\/\/(?:localhost|127(?:\.\d{1,3}){3})(?![^:/])/.test(url)
  if (name !== undefined && isSafe && URL.canParse(url)) return name
  throw invalidValue(
    'The URL of a provider is like https://login.example.org/tenant: https, no query, no slash at the end, at most 255 characters',
  )
}

export function checkClientIds(clientIds: readonly string[]): void {
  for (const clientId of clientIds) {
    if (!/^[\x21-\x7e]{1,255}$/.test(clientId)) {
      throw invalidValue('A client id has 1 to 255 printable ASCII characters, no space')
    }
  }
  if (clientIds.length > 100) {
    throw new AdminError('limit_exceeded', 'A provider has at most 100 client ids')
  }
}

/** SHA-1 of a certificate in hexadecimal (AWS IAM API reference, CreateOpenIDConnectProvider). */
export function checkThumbprints(thumbprints: readonly string[]): void {
  if (thumbprints.length > 5 || !thumbprints.every((text) => /^[0-9A-Fa-f]{40}$/.test(text))) {
    throw invalidValue('A provider has at most 5 thumbprints, 40 hexadecimal digits each')
  }
}

function invalidName(message: string): AdminError {
  return new AdminError('invalid_name', message)
}

function invalidValue(message: string): AdminError {
  return new AdminError('invalid_value', message)
}
