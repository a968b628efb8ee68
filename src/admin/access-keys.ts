import type { Secret } from '../secret.ts'
import { AdminError } from './admin-error.ts'
import { accessKeyKey, read, write } from './documents.ts'
import type { AccessKeyDocument } from './documents.ts'
import { storedAccessKey } from './entities.ts'
import { put, unchanged } from './ledger.ts'
import { checkAccessKey, checkAccessKeyName, checkDescription, checkUserName } from './names.ts'
import { newId, newSecret } from './new-ids.ts'
import { parseGiven } from './parse-given.ts'
import type { Tools } from './tools.ts'
import type { AccessKey, AccessKeyDifference, BroughtAccessKey, NewAccessKey } from './types.ts'

/** Of one user: those made here, and those of a server that was left, which may have let programs make many. */
const maxAccessKeys = { made: 10, brought: 1000 } as const

/** What of a wish is stored as it is. */
type Content = Omit<AccessKeyDocument, 'secret' | 'createdAt'>

/** Changes of the long-lived keys of users. */
export class AccessKeys {
  readonly #tools: Tools

  constructor(tools: Tools) {
    this.#tools = tools
  }

  async create(user: string, wish: NewAccessKey): Promise<AccessKey> {
    const { holders, ledger, snapshot, random } = this.#tools
    const brought = isBrought(wish)
    const id = brought ? wish.accessKeyId : newId('AKIA', random)
    const secret = brought ? wish.secretAccessKey : newSecret(random)
    const content = contentOf(user, { ...wish, accessKeyId: id, secretAccessKey: secret })
    const most = brought ? maxAccessKeys.brought : maxAccessKeys.made
    if (snapshot.findAccessKey(id)?.managedBy === 'file') throw taken(id)
    const document = this.#seal(id, secret, content)
    await holders.change({ kind: 'user', name: user }, async (owner) => {
      if (await ledger.get(accessKeyKey(id))) throw taken(id)
      if (owner.accessKeys.length >= most) {
        throw new AdminError('limit_exceeded', `A user has at most ${most} keys`)
      }
      return {
        document: { ...owner, accessKeys: [...owner.accessKeys, id] },
        more: {
          conditions: [{ key: accessKeyKey(id), revision: 0 }],
          writes: [put(accessKeyKey(id), write(document))],
        },
      }
    })
    return storedAccessKey(id, document, secret)
  }

  compare(user: string, brought: BroughtAccessKey): readonly AccessKeyDifference[] | undefined {
    const content = contentOf(user, brought)
    const key = this.#tools.snapshot.findAccessKey(brought.accessKeyId)
    return key && differences(key, content, brought.secretAccessKey)
  }

  /** Whose key it is does not change: that would give one user's key what another one may. */
  async replace(user: string, brought: BroughtAccessKey): Promise<AccessKey> {
    const { accessKeyId: id, secretAccessKey: secret } = brought
    const document = this.#seal(id, secret, contentOf(user, brought))
    await this.#change(id, (before) => {
      if (before.user !== user) throw taken(id)
      return { ...document, createdAt: before.createdAt }
    })
    return storedAccessKey(id, document, secret)
  }

  async delete(accessKeyId: string): Promise<void> {
    const { user } = this.#find(accessKeyId)
    await this.#tools.holders.change({ kind: 'user', name: user }, (document) => ({
      document: {
        ...document,
        accessKeys: document.accessKeys.filter((id) => id !== accessKeyId),
      },
      more: { conditions: [], writes: [{ kind: 'delete', key: accessKeyKey(accessKeyId) }] },
    }))
  }

  async setStatus(accessKeyId: string, status: AccessKey['status']): Promise<void> {
    await this.#change(accessKeyId, (document) => ({ ...document, status }))
  }

  async #change(
    accessKeyId: string,
    decide: (document: AccessKeyDocument) => AccessKeyDocument,
  ): Promise<void> {
    const { ledger } = this.#tools
    this.#find(accessKeyId)
    await ledger.change(async () => {
      const entry = await ledger.get(accessKeyKey(accessKeyId))
      if (!entry) throw noKey(accessKeyId)
      const document = decide(read('accesskey', entry.value))
      return {
        conditions: [unchanged(entry)],
        writes: [put(entry.key, write(document))],
        result: undefined,
      }
    })
  }

  #seal(id: string, secret: Secret, content: Content): AccessKeyDocument {
    const { options, ledger } = this.#tools
    const sealed = options.vault.seal(accessKeyKey(id), secret.reveal())
    return { ...content, secret: sealed, createdAt: ledger.now() }
  }

  #find(accessKeyId: string): AccessKey {
    const key = this.#tools.snapshot.findAccessKey(accessKeyId)
    if (!key) throw noKey(accessKeyId)
    if (key.managedBy === 'file') {
      throw new AdminError(
        'unmodifiable',
        `The key ${accessKeyId} is declared in the configuration file`,
      )
    }
    return key
  }
}

function isBrought(wish: NewAccessKey): wish is BroughtAccessKey {
  const { accessKeyId, secretAccessKey } = wish
  if ((accessKeyId === undefined) === (secretAccessKey === undefined)) {
    return accessKeyId !== undefined
  }
  throw new AdminError('invalid_key', 'The id and the secret of an access key come together')
}

/** @throws AdminError `invalid_name`, `invalid_key`, `invalid_value`, `malformed_policy` or `limit_exceeded` */
function contentOf(user: string, brought: BroughtAccessKey): Content {
  const { accessKeyId, secretAccessKey, name = '', description = '', expiresAt, policy } = brought
  checkUserName(user)
  checkAccessKey(accessKeyId, secretAccessKey.reveal())
  checkAccessKeyName(name)
  checkDescription(description)
  if (expiresAt !== undefined && Number.isNaN(expiresAt.getTime())) {
    throw new AdminError('invalid_value', 'The end of an access key is an instant')
  }
  return {
    user,
    status: brought.status ?? 'Active',
    ...(name === '' ? {} : { name }),
    ...(description === '' ? {} : { description }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
    ...(policy === undefined ? {} : { policy: parseGiven(policy, 'session').text }),
  }
}

function differences(
  key: AccessKey,
  content: Content,
  secret: Secret,
): readonly AccessKeyDifference[] {
  const same: readonly (readonly [AccessKeyDifference, boolean])[] = [
    ['user', key.user === content.user],
    ['secret', key.secretAccessKey.equals(secret)],
    ['status', key.status === content.status],
    ['name', key.name === content.name],
    ['description', key.description === content.description],
    ['expiry', key.expiresAt?.toISOString() === content.expiresAt],
    ['policy', textOf(key.policy) === content.policy],
  ]
  return same.flatMap(([what, isSame]) => (isSame ? [] : [what]))
}

/** A broken policy is like no other one. */
function textOf(policy: AccessKey['policy']): string | undefined {
  return policy && ('text' in policy ? policy.text : '')
}

function noKey(accessKeyId: string): AdminError {
  return new AdminError('no_such_entity', `There is no access key ${accessKeyId}`)
}

function taken(accessKeyId: string): AdminError {
  return new AdminError('already_exists', `The access key id ${accessKeyId} is taken`)
}
