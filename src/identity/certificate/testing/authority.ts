import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Certificates made by OpenSSL: what others make, not what we think they make. */
export type Request = Readonly<{
  /** Who signs; absent: itself. */
  by?: string
  /** As OpenSSL's `-subj`; default `/CN=<name>`. */
  subject?: string
  /** Lines of an extension section; `ca` and `client` are short for the usual ones. */
  extensions?: 'ca' | 'client' | readonly string[]
  days?: number
  /** Arguments of `openssl req -newkey`; default P-256. */
  newKey?: readonly string[]
  /** More arguments of the signing command, such as `-sha1`. */
  sign?: readonly string[]
}>

const usual = {
  ca: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'],
  client: ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=clientAuth'],
} as const
const p256 = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

export class Workshop {
  readonly directory = mkdtempSync(join(tmpdir(), 'daypass-certificates-'))

  file(name: string): string {
    return join(this.directory, name)
  }

  /** Makes `<name>.key` and `<name>.pem`. */
  make(name: string, request: Request = {}): void {
    const { by = name, subject = `/CN=${name}`, extensions = 'client', days = 30 } = request
    const lines = typeof extensions === 'string' ? usual[extensions] : extensions
    writeFileSync(this.file(`${name}.ext`), lines.join('\n'))
    const key = [
      '-newkey',
      ...(request.newKey ?? p256),
      '-nodes',
      '-keyout',
      this.file(`${name}.key`),
    ]
    openssl('req', '-utf8', ...key, '-subj', subject, '-out', this.file(`${name}.csr`))
    const signer =
      by === name
        ? ['-signkey', this.file(`${name}.key`)]
        : ['-CA', this.file(`${by}.pem`), '-CAkey', this.file(`${by}.key`), '-CAcreateserial']
    const out = ['-days', String(days), '-out', this.file(`${name}.pem`)]
    const extension = ['-extfile', this.file(`${name}.ext`)]
    const csr = ['-req', '-in', this.file(`${name}.csr`)]
    openssl('x509', ...csr, ...signer, ...extension, ...out, ...(request.sign ?? []))
  }

  /** Writes `<file>`: a list by an authority with the certificates that it has revoked. */
  revoke(
    authority: string,
    names: readonly string[],
    file: string,
    more: readonly string[] = [],
  ): void {
    const database = this.file(`${authority}.index`)
    const lines = names.map((name) => {
      const { serialNumber } = new X509Certificate(readFileSync(this.file(`${name}.pem`)))
      return `R\t401231235959Z\t250101000000Z\t${serialNumber}\tunknown\t/CN=${name}\n`
    })
    writeFileSync(database, lines.join(''))
    if (!existsSync(this.file('number'))) writeFileSync(this.file('number'), '01\n')
    const config = this.file(`${authority}.cnf`)
    const section = [
      `[ca]\ndefault_ca=this\n[this]\ndatabase=${database}\ncrlnumber=${this.file('number')}`,
      'default_md=sha256\ndefault_crl_days=10\nunique_subject=no',
      '[partial]\nissuingDistributionPoint=critical,@point\n[point]\nfullname=URI:http://x/\nonlyuser=TRUE',
    ]
    writeFileSync(config, section.join('\n'))
    const signer = [
      '-cert',
      this.file(`${authority}.pem`),
      '-keyfile',
      this.file(`${authority}.key`),
    ]
    openssl('ca', '-config', config, '-gencrl', ...signer, '-out', this.file(file), ...more)
  }

  der(name: string): Buffer {
    return new X509Certificate(readFileSync(this.file(`${name}.pem`))).raw
  }

  text(file: string): string {
    return readFileSync(this.file(file), 'utf8')
  }

  pem(...names: readonly string[]): string {
    return names.map((name) => this.text(`${name}.pem`)).join('')
  }

  close(): void {
    rmSync(this.directory, { recursive: true })
  }
}

export function openssl(...words: readonly string[]): void {
  const command = 'openssl'
  execFileSync(command, words, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** For `skip`. */
export function withoutOpenssl(): string | false {
  try {
    openssl('version')
    return false
  } catch {
    return 'the openssl command is not installed: no certificate to test with'
  }
}
