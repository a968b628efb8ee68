import { generateKeyPairSync } from 'node:crypto'
import { describe } from 'node:test'
import { countUp, keepsItsBounds, repeatTo } from '../../test/bounds/index.ts'
import { Secret } from '../secret.ts'
import { parseCertificate } from './certificate/certificate.ts'
import { createClientChainReader } from './certificate/client-chain.ts'
import { readDer } from './certificate/der.ts'
import { isSpiffeId, parseDnsPattern, parseUriPattern } from './certificate/name-pattern.ts'
import { readBase64, readPemOrDer } from './certificate/pem.ts'
import { parseRevocationList } from './certificate/revocation-list.ts'
import { BadAnswer, readVerdict } from './custom-token/verdict.ts'
import { parseDiscovery } from './discovery.ts'
import { IdentityError } from './identity-error.ts'
import { parseJsonObject } from './json-object.ts'
import { parseJws, parseToken } from './jws.ts'
import { parseKeySet } from './key-set.ts'
import { isWithin, normaliseDn, parseDn } from './ldap/dn.ts'
import { parseFilterTemplate } from './ldap/filter-template.ts'
import { sourceNetwork } from './ldap/source-network.ts'
import { parseProviderUrl } from './provider-url.ts'

const isIdentityError = (error: unknown) => error instanceof IdentityError
const isSyntaxError = (error: unknown) => error instanceof SyntaxError
/** Ours, and not the runtime's own about a mistake. */
const isTypeError = (error: unknown) =>
  error instanceof TypeError && !/^Cannot |is not (?:a function|iterable)/.test(error.message)
/** What `node:crypto` says of bytes that OpenSSL does not take. */
const isOpenssl = (error: unknown) => error instanceof Error && error.message.startsWith('error:')
const base64url = (text: string) => Buffer.from(text).toString('base64url')

/** What JSON is made of, and what its readers have fallen over. */
const json = ['[', '{"a":', '"', '{},', '"a",', '\\u0061', '\\ud800', '"__proto__":1,', '1', '\\']
const jsonFrames = [
  (rest: string) => rest,
  (rest: string) => `{"a":"${rest}"}`,
  (rest: string) => `{"a":[${rest}1]}`,
  (rest: string) => `{${rest}"a":1}`,
]
const hostileJson = {
  'deep lists': `{"a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`,
  'deep objects': `${repeatTo('{"a":', 54_000)}1${'}'.repeat(10_800)}`,
  'thousands of members': `{${countUp((n) => `"m${n}":1,`)}"a":1}`,
  'a long number': `{"a":${'9'.repeat(65_000)}}`,
  'a long exponent': `{"a":1e${'9'.repeat(65_000)}}`,
}

describe('bounds of tokens and of what providers answer', () => {
  keepsItsBounds({
    name: 'parseJsonObject',
    parse: parseJsonObject,
    refuses: isSyntaxError,
    words: json,
    frames: jsonFrames,
    hostile: hostileJson,
  })
  keepsItsBounds({
    name: 'parseJws',
    parse: parseJws,
    refuses: isIdentityError,
    words: ['.', 'e30', '=', '-', '_', 'A'],
    frames: [(rest) => rest, (rest) => `${base64url('{"alg":"RS256"}')}.${rest.slice(0, 16_000)}.`],
  })
  keepsItsBounds({
    name: 'parseToken by its claims',
    parse: (text) =>
      parseToken(`${base64url('{"alg":"RS256"}')}.${base64url(text.slice(0, 12_000))}.`),
    refuses: isIdentityError,
    words: json,
    frames: jsonFrames,
  })
  keepsItsBounds({
    name: 'parseToken by its header',
    parse: (text) => parseToken(`${base64url(text.slice(0, 12_000))}.${base64url('{}')}.`),
    refuses: isIdentityError,
    words: ['"alg":', '"kid":', '"typ":', '"zip":"DEF",', '{', '"', '['],
    frames: [(rest) => rest, (rest) => `{"alg":"RS256",${rest}`],
  })
  keepsItsBounds({
    name: 'parseKeySet',
    parse: parseKeySet,
    refuses: isSyntaxError,
    words: ['{"kty":"RSA"},', '{"kty":"EC"', '"n":"', '[', '{', '"', ','],
    frames: [(rest) => rest, (rest) => `{"keys":[${rest}{}]}`],
    hostile: keySets(),
  })
  keepsItsBounds({
    name: 'parseDiscovery',
    parse: (text) => {
      const configUrl = 'https://idp.example/.well-known/openid-configuration'
      parseDiscovery(text, { configUrl, issuer: undefined, insecureHttp: false })
    },
    refuses: (error) => isSyntaxError(error) || isTypeError(error),
    words: ['"RS256",', '"', '[', 'https://', '%', '@', '/..'],
    frames: [
      (rest) => rest,
      (rest) => `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/${rest}"}`,
      (rest) => `{"issuer":"https://idp.example","jwks_uri":"https://${rest}"}`,
      (rest) =>
        `{"issuer":"https://idp.example","jwks_uri":"https://idp.example","id_token_signing_alg_values_supported":[${rest}1]}`,
    ],
  })
  keepsItsBounds({
    name: 'parseProviderUrl',
    parse: (text) => parseProviderUrl(text, 'url', 'loopback'),
    refuses: isTypeError,
    words: ['https://', '/', '..', '%', '@', ':', '[', 'xn--', 'ä', '#'],
    frames: [(rest) => rest, (rest) => `https://${rest}/`, (rest) => `https://a/${rest}`],
  })
  keepsItsBounds({
    name: 'readVerdict of a yes',
    parse: (body) => readVerdict({ status: 200, headers: {}, body }, [new Secret('token')]),
    refuses: (error) => isIdentityError(error) || error instanceof BadAnswer,
    words: ['"a":1,', '"', '{', '[', '\\u0000', '"__proto__":1,'],
    frames: [
      (rest) => rest,
      (rest) => `{"user":"${rest}","maxValiditySeconds":3600}`,
      (rest) => `{"user":"a","maxValiditySeconds":3600,"claims":{${rest}"b":1}}`,
    ],
  })
  keepsItsBounds({
    name: 'readVerdict of a no',
    parse: (body) => readVerdict({ status: 403, headers: {}, body }, [new Secret('token')]),
    refuses: isIdentityError,
    words: ['token', '%', ' ', '\\u0000', '"', '\u{e0001}', 't'],
    frames: [(rest) => rest, (rest) => `{"reason":"${rest}"}`],
  })
})

describe('bounds of certificates', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1')
  const der = {
    words: ['0\u0080', '0\u0000', '\u0002\u0001\u0001', '\u0006\u0001\u0081', '\u00ff'],
    frames: [
      (rest: string) => rest,
      (rest: string) => sequence(rest),
      (rest: string) => sequence(sequence(sequence(rest))),
      (rest: string) => sequence(sequence(`\u00a0\u0003\u0002\u0001\u0002${rest}`)),
    ],
  }
  keepsItsBounds({
    name: 'readDer',
    parse: (text) => readDer(bytes(text)),
    refuses: isSyntaxError,
    ...der,
  })
  keepsItsBounds({
    name: 'parseCertificate',
    parse: (text) => parseCertificate(bytes(text)),
    refuses: (error) => isSyntaxError(error) || isOpenssl(error),
    ...der,
    frames: [...der.frames, (rest) => sequence(rest.slice(0, 16_000))],
  })
  keepsItsBounds({
    name: 'parseRevocationList',
    parse: (text) => parseRevocationList(bytes(text)),
    refuses: isSyntaxError,
    ...der,
    frames: [...der.frames, revocationList],
    hostile: { 'thousands of entries': revocationList(sequence(countUp(revokedEntry, 60_000))) },
  })
  keepsItsBounds({
    name: 'readPemOrDer',
    parse: (text) => readPemOrDer(bytes(text), 'CERTIFICATE'),
    refuses: isSyntaxError,
    words: ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----', '\n', 'AAAA', '-', '='],
    frames: [
      (rest) => rest,
      (rest) => `-----BEGIN CERTIFICATE-----${rest}-----END CERTIFICATE-----`,
    ],
  })
  keepsItsBounds({
    name: 'readBase64',
    parse: readBase64,
    refuses: isSyntaxError,
    words: ['A', '=', '/'],
  })
  const proof = 'a proof of sixteen and more letters'.replaceAll(' ', '-')
  for (const format of ['pem', 'base64'] as const) {
    const read = createClientChainReader({
      addresses: ['192.0.2.1'],
      certificateHeader: 'x-cert',
      proofHeader: 'x-proof',
      proof: new Secret(proof),
      format,
    })
    keepsItsBounds({
      name: `the client chain in ${format}`,
      parse: (text) => {
        const headers = [['x-cert', text] as const, ['x-proof', proof] as const]
        read({ headers, peer: '192.0.2.1', secure: false })
      },
      refuses: isIdentityError,
      words: [',', ':', 'AAAA', '%', '%2D', '-----BEGIN CERTIFICATE-----', ' '],
    })
  }
  keepsItsBounds({
    name: 'patterns of names',
    parse: (text) => {
      isSpiffeId(text)
      parseDnsPattern(text)
    },
    refuses: isTypeError,
    words: ['a', '.', '*', 'spiffe://', '/', '_'],
    frames: [(rest) => rest, (rest) => `${rest}!`],
  })
  keepsItsBounds({
    name: 'parseUriPattern',
    parse: (text) => parseUriPattern(text)(text),
    refuses: isTypeError,
    words: ['a', '/', '*', 'spiffe://', '.', ':'],
    frames: [(rest) => rest, (rest) => `spiffe://a/${rest}`, (rest) => `https://a/${rest}!`],
  })
})

describe('bounds of what directories say and are asked', () => {
  keepsItsBounds({
    name: 'parseDn, normaliseDn and isWithin',
    parse: (text) => {
      parseDn(text)
      isWithin(normaliseDn(text), 'dc=example')
    },
    refuses: isTypeError,
    words: ['cn=a', ',', '+', '\\', '\\2c', ' ', '=', '2.5.4.3=', '#', 'ß'],
    frames: [(rest) => rest, (rest) => rest.slice(0, 8000), (rest) => `cn=${rest.slice(0, 8000)}`],
  })
  keepsItsBounds({
    name: 'parseFilterTemplate',
    parse: (text) => {
      const template = parseFilterTemplate(text, { placeholders: ['s'] })
      template.forAnybody()
      template.forUser({ s: '*)(uid=*' })
    },
    refuses: isTypeError,
    words: ['(', ')', '(&', '(!', '*', '\\', '\\c3', '%s', '(a=%s)', ':='],
    frames: [
      (rest) => rest,
      (rest) => `(a=%s${rest.slice(0, 4000)})`,
      (rest) => `(&(a=%s)${rest.slice(0, 4000)})`,
    ],
  })
  keepsItsBounds({
    name: 'sourceNetwork',
    parse: sourceNetwork,
    refuses: () => false,
    words: [':', '::', '%', '1', '.', '::ffff:'],
  })
})

/** Of any length: DER with the latin1 of its bytes. */
function element(tag: number, content: string): string {
  const { length } = content
  const head =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return String.fromCharCode(...head) + content
}

function sequence(content: string): string {
  return element(0x30, content)
}

function revocationList(entries: string): string {
  const algorithm = sequence(element(6, '\u002a\u0086\u0048\u00ce\u003d\u0004\u0003\u0002'))
  const time = element(0x17, '260101000000Z')
  const body = sequence(algorithm + sequence('') + time + entries)
  return sequence(body + algorithm + element(3, '\u0000\u0001'))
}

function revokedEntry(serial: number): string {
  const number = element(2, `\u0001${String.fromCharCode(serial >> 8, serial & 0xff)}`)
  return sequence(number + element(0x17, '260101000000Z'))
}

function keySets(): Readonly<Record<string, string>> {
  const of = (key: object) => {
    const text = JSON.stringify(key)
    const count = Math.min(200, Math.floor(65_000 / (text.length + 1)))
    return JSON.stringify({ keys: Array.from({ length: count }, () => key) })
  }
  const ec = (namedCurve: string) =>
    generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' })
  const number = (bytes: number, fill: number) => Buffer.alloc(bytes, fill).toString('base64url')
  return {
    'keys of P-256': of(ec('P-256')),
    'keys of P-521': of(ec('P-521')),
    'points beside the curve P-521': of({ ...ec('P-521'), x: number(66, 1) }),
    'RSA keys of 2048 bits': of({ kty: 'RSA', e: 'AQAB', n: number(256, 0xff) }),
    'RSA keys of 8192 bits': of({ kty: 'RSA', e: 'AQAB', n: number(1024, 0xff) }),
    'RSA keys with an exponent as long': of({
      kty: 'RSA',
      e: number(1024, 0xff),
      n: number(1024, 0xff),
    }),
    'the longest members': of({ kty: 'RSA', e: 'AQAB', n: number(1536, 0xff) }),
    'empty keys': of({}),
  }
}
