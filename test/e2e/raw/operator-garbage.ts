import { randomBytes } from 'node:crypto'
import { createIssuerKey, signToken } from '../../fakes/oidc-issuer.ts'
import { exchangeForm, formHead } from '../operator-scene.ts'

/**
 * Requests to an operator that all have to be refused, each made afresh: what one leaves behind, thousands pile up.
 * @param issuer of the cluster, in whose name tokens are forged
 * @param token a good one
 */
export function operatorGarbage(issuer: string, token: string): readonly (() => string | Buffer)[] {
  const [head = '', body = '', signature = ''] = token.split('.')
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string }
  const forger = createIssuerKey('RS256', kid)
  const word = () => randomBytes(8).toString('hex')
  const bulk = (bytes: number) => randomBytes(bytes / 2).toString('hex')
  const post = (path: string, text: string) => formHead(path, text.length) + text
  const get = (target: string, line = '') => `GET ${target} HTTP/1.1\r\nhost: sts\r\n${line}\r\n`
  const form = (presented: string) => post('/sts/store', exchangeForm(presented))
  const forged = () => ({
    iss: issuer,
    aud: ['sts.min.io'],
    sub: `system:serviceaccount:shop:${word()}`,
    exp: Math.floor(Date.now() / 1000) + 600,
  })
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return [
    () => form(bulk(12_000)),
    () => form(`${head}.${body}.${signature.split('').toReversed().join('')}`),
    () => form(`${head}.${encode(forged())}.${signature}`),
    () => form(signToken(forged(), forger)),
    () => form(signToken(forged(), { ...forger, kid: word() })),
    () => form(`${encode({ alg: 'none' })}.${body}.`),
    () => post('/sts/store', `${word()}=${bulk(50_000)}`),
    () => post(`/sts/${word()}`, exchangeForm(word())),
    () => post(`/sts/%2F${word()}`, exchangeForm(token)),
    () => post(`/${word()}/${word()}`, exchangeForm(token)),
    () => post('/sts/store', exchangeForm(token).replace('2011-06-15', word())),
    () => post('/sts/store', exchangeForm(token).replace('WithWebIdentity', word())),
    () => get('/credentials/store', `authorization: ${bulk(8000)}\r\n`),
    () => get(`/sts/store?${exchangeForm(bulk(8000))}`),
    () => `${word()} / HTTP/1.1\r\n\r\n`,
    () => get('/', `x: ${bulk(40_000)}\r\n`),
  ]
}
