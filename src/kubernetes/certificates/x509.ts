// The library asks for this before its own first line; nothing else of ours may load either.
import 'reflect-metadata' // oxlint-disable-line import/no-unassigned-import -- it only fills in what the next one needs
import { createHash, KeyObject, webcrypto, type X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** A key with what we need of it: to sign requests and certificates, and to be written down. */
export type SigningPair = Readonly<{
  keys: webcrypto.CryptoKeyPair
  /** PKCS#8 PEM. A secret: it goes into the Secret and into TLS, nowhere else. */
  keyPem: string
  /** Hex SHA-256 of the public key (SubjectPublicKeyInfo). */
  fingerprint: string
}>

export type Authority = Readonly<{ certificate: X509Certificate; keyPem: string }>

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' }
const signing = { name: 'ECDSA', hash: 'SHA-256' }
const dayMs = 86_400_000
/** Clocks of clients that are late still find it valid. */
const backdatedMs = 3_600_000
const authorityDays = 3650
const leafDays = 90

export async function createSigningPair(): Promise<SigningPair> {
  const keys = await webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
  const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey))
  return {
    keys,
    keyPem: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: createHash('sha256').update(spki).digest('hex'),
  }
}

/**
 * A PKCS#10 request, PEM, as signer `kubernetes.io/kubelet-serving` wants it (Kubernetes, certificate signing requests).
 * @param names of the service; `commonName` stands behind `system:node:`
 */
export async function createRequest(
  { keys }: SigningPair,
  commonName: string,
  names: readonly string[],
): Promise<string> {
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: [{ O: ['system:nodes'] }, { CN: [`system:node:${commonName}`] }],
      keys,
      signingAlgorithm: signing,
      extensions: [
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
          true,
        ),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        alternativeNames(names),
      ],
    },
    webcrypto,
  )
  return pem(request.toString('pem'))
}

/** An authority of its own, for ten years. Its name holds a part of its key, so that two are never taken for one. */
export async function createAuthority(
  pair: SigningPair,
  now: Date,
): Promise<Readonly<{ certPem: string; keyPem: string }>> {
  const { keys, keyPem, fingerprint } = pair
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ O: ['Daypass'] }, { CN: [`Daypass STS CA ${fingerprint.slice(0, 8)}`] }],
      keys,
      signingAlgorithm: signing,
      notBefore: new Date(now.getTime() - backdatedMs),
      notAfter: new Date(now.getTime() + authorityDays * dayMs),
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(
          x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
          true,
        ),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  )
  return { certPem: pem(certificate.toString('pem')), keyPem }
}

/** A server certificate for the names, for ninety days and never longer than its authority. PEM. */
export async function issueLeaf(
  authority: Authority,
  { keys }: SigningPair,
  names: readonly string[],
  now: Date,
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate.raw)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    derOf(authority.keyPem),
    ecdsa,
    false,
    ['sign'],
  )
  const ends = Math.min(now.getTime() + leafDays * dayMs, issuer.notAfter.getTime())
  const begins = Math.max(now.getTime() - backdatedMs, issuer.notBefore.getTime())
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [{ O: ['Daypass'] }, { CN: ['Daypass STS'] }],
      issuer: issuer.subjectName,
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm: signing,
      notBefore: new Date(begins),
      notAfter: new Date(ends),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        alternativeNames(names),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  )
  return pem(certificate.toString('pem'))
}

function alternativeNames(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  const dns = names.map((value) => ({ type: 'dns' as const, value }))
  return new x509.SubjectAlternativeNameExtension(dns)
}

function derOf(keyPem: string): Buffer {
  return Buffer.from(keyPem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
}

/** One line end at the end, as other programs write it. */
function pem(text: string): string {
  return `${text.trim()}\n`
}
