import { parseCertificate, type Certificate } from './certificate.ts'
import { isCurrent } from './check-revocation.ts'
import { createFreshFiles, type FreshFiles } from './fresh-files.ts'
import { readPemOrDer } from './pem.ts'
import { parseRevocationList, type RevocationList } from './revocation-list.ts'

/** What the files say now. */
export type Trust = Readonly<{
  authorities: readonly Authority[]
  /** Absent: none are configured, so that nobody asks for one. */
  lists?: readonly RevocationList[]
}>

/** A trusted authority, and the file in which it stands. */
type Authority = Readonly<{ file: string; certificate: Certificate }>

export type CertificateStatus = Readonly<{
  provider: string
  ready: boolean
  /** Why no certificate can be judged now. */
  error?: string
}>

export type CertificateEvent = Readonly<{
  kind: 'certificates_unavailable' | 'certificates_available'
  provider: string
  detail: string
}>

type TrustFilesOptions = Readonly<{
  name: string
  caFiles: readonly string[]
  crlFiles: readonly string[]
  /** Lists that are out of date serve on. */
  allowStale: boolean
  clock: () => Date
  log: (event: CertificateEvent) => void
}>

const lookMs = 15_000

/** The files with authorities and revocation lists, read again when they change, and how they are. */
export class TrustFiles {
  readonly #options: TrustFilesOptions
  readonly #authorities: readonly FreshFiles<Authority>[]
  readonly #lists: FreshFiles<RevocationList> | undefined
  #error: string | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: TrustFilesOptions) {
    const { caFiles, crlFiles, clock } = options
    this.#options = options
    this.#authorities = caFiles.map((file) =>
      createFreshFiles([file], (bytes) => parseAuthorities(file, bytes), clock),
    )
    this.#lists = crlFiles.length > 0 ? createFreshFiles(crlFiles, parseLists, clock) : undefined
  }

  /** Rejects while one of the files cannot be read or understood. */
  async read(): Promise<Trust> {
    try {
      const [authorities, lists] = await Promise.all([
        Promise.all(this.#authorities.map((read) => read())),
        this.#lists?.(),
      ])
      this.#note(lists && this.#outOfDate(lists))
      return { authorities: authorities.flat(), ...(lists && { lists }) }
    } catch (error) {
      this.#note(error instanceof Error ? error.message : String(error))
      throw error
    }
  }

  /** How it was when they were last looked at. */
  status(): CertificateStatus {
    const error = this.#error
    return {
      provider: this.#options.name,
      ready: error === undefined,
      ...(error !== undefined && { error }),
    }
  }

  start(): void {
    const look = (): void => void this.read().catch(() => undefined)
    this.#timer ??= setInterval(look, lookMs).unref()
    look()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** An authority of which no list is in date: whomever it has certified is refused. */
  #outOfDate(lists: readonly RevocationList[]): string | undefined {
    const { allowStale, clock } = this.#options
    const now = clock()
    const current = lists.filter((list) => isCurrent(list, allowStale, now))
    const late = lists.find(({ issuer }) => !current.some((other) => other.issuer.equals(issuer)))
    return late && `the revocation list of ${late.issuerText} is out of date`
  }

  #note(error: string | undefined): void {
    if (error === this.#error) return
    this.#error = error
    this.#options.log({
      kind: error === undefined ? 'certificates_available' : 'certificates_unavailable',
      provider: this.#options.name,
      detail: error ?? 'the files can be read again',
    })
  }
}

function parseAuthorities(file: string, bytes: Buffer): readonly Authority[] {
  const certificates = readPemOrDer(bytes, 'CERTIFICATE').map(parseCertificate)
  const strange = certificates.find(({ isCa }) => !isCa)
  if (strange === undefined) return certificates.map((certificate) => ({ file, certificate }))
  throw new TypeError(`${strange.subject.text} is no certificate authority`)
}

function parseLists(bytes: Buffer): readonly RevocationList[] {
  return readPemOrDer(bytes, 'X509 CRL').map(parseRevocationList)
}
