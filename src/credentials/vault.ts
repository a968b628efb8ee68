import { randomBytes, type KeyObject } from 'node:crypto'
import { openBytes, parseBase64url, purposeKey, sealBytes, sealingNonceBytes } from './aead.ts'

/** Seals secrets that rest in the store. What is sealed for one purpose opens for no other. */
export type Vault = Readonly<{
  seal(purpose: string, plaintext: string): string
  /** Throws a VaultError. */
  open(purpose: string, sealed: string): string
}>

/** A stored secret does not open: another master key, another purpose, or changed bytes. Ours to repair, no caller's fault. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
}

const version = 'v1'

/** AES-256-GCM under a key derived from the master key; the purpose is associated data. */
export function createVault(
  masterKey: KeyObject,
  random: (bytes: number) => Buffer = randomBytes,
): Vault {
  const sealingKey = purposeKey(masterKey, 'vault')
  return {
    seal(purpose, plaintext) {
      const nonce = random(sealingNonceBytes)
      const sealed = sealBytes(sealingKey, nonce, `${version}.${purpose}`, Buffer.from(plaintext))
      return `${version}.${sealed.toString('base64url')}`
    },
    open(purpose, sealed) {
      const bytes =
        sealed.startsWith(`${version}.`) && parseBase64url(sealed.slice(version.length + 1))
      const opened = bytes && openBytes(sealingKey, `${version}.${purpose}`, bytes)
      if (opened) return opened.toString('utf8')
      throw new VaultError(`the stored secret "${purpose}" does not open under this master key`)
    },
  }
}
