/** PEM: the chain of the certificate, the leaf first, and its private key. */
export type TlsPair = Readonly<{ cert: Buffer; key: Buffer }>

/** A certificate that somebody else keeps and changes, in files or in memory. */
export interface TlsMaterial {
  /** `undefined`: there is none yet. Until there is, no handshake succeeds; the listener listens all the same. */
  read(): TlsPair | undefined
  /** Told of each new pair, which is known to be one. What comes back ends that. */
  onChange(use: (pair: TlsPair) => void): () => void
}
