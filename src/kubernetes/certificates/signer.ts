import { setTimeout as sleep } from 'node:timers/promises'
import type { CertificateApi, RequestState } from './certificate-api.ts'
import { missingNames, readServingPair, type ServingPair } from './serving-pair.ts'

export type SignerWishes = Readonly<{
  signerName: string
  /** `sts.NAMESPACE.svc` */
  commonName: string
  names: readonly string[]
  namespace: string
  /** How long the signer may take, approval included. */
  waitMs: number
  signal: AbortSignal
}>

const pollMs = 1000

/**
 * A certificate by the cluster's CSR API. Every request has a new key, and a name made of that key: an older request of the
 * same name, whose certificate would belong to another key, cannot be met.
 * @returns the pair, or in words why there is none. Rejects when the API server does not answer.
 */
export async function askSigner(
  api: CertificateApi,
  wishes: SignerWishes,
): Promise<ServingPair | string> {
  const { signerName, commonName, names, namespace, waitMs } = wishes
  const { createRequest, createSigningPair } = await import('./x509.ts')
  const pair = await createSigningPair()
  const name = `sts-${namespace}-${pair.fingerprint.slice(0, 16)}`
  const request = await createRequest(pair, commonName, names)
  await api.createRequest(name, signerName, request)
  const mayApprove = await api.approveRequest(name, signerName, request)
  const state = await awaitAnswer(api, name, wishes)
  if (state.kind === 'issued') return accept(state.certPem, pair.keyPem, names)
  if (state.kind === 'refused') return `signer ${signerName} refuses: ${state.reason}`
  const seconds = Math.round(waitMs / 1000)
  if (state.approved) return `signer ${signerName} gave no certificate within ${seconds} s`
  const why = mayApprove ? '' : ', and the operator has no right to approve it'
  return `nobody approved CertificateSigningRequest ${name} within ${seconds} s${why}`
}

async function awaitAnswer(
  api: CertificateApi,
  name: string,
  { waitMs, signal }: SignerWishes,
): Promise<RequestState> {
  const begun = performance.now()
  for (;;) {
    const state = await api.readRequest(name)
    if (state.kind !== 'pending' || performance.now() - begun >= waitMs) return state
    await sleep(Math.min(pollMs, waitMs), undefined, { signal })
  }
}

/** Signers may give another name, another key or nonsense: then it is as if they had refused. */
function accept(certPem: Buffer, keyPem: string, names: readonly string[]): ServingPair | string {
  const pair = readServingPair(certPem, Buffer.from(keyPem))
  if (typeof pair === 'string') return `what the signer gave is no use: ${pair}`
  const missing = missingNames(pair.leaf, names)
  if (missing.length > 0) return `the signer left out the names ${missing.join(', ')}`
  return pair
}
