import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { extractMessage } from './extract-message.ts'

const message = `dpm1.abcdefghij234567.${'A-_9z'.repeat(40)}`

describe('finding the encoded message in what was pasted', () => {
  for (const [title, pasted] of [
    ['the bare message', message],
    ['white space around it', `\n  ${message}\n`],
    [
      'an error document',
      `<Error><Code>AccessDenied</Code><EncodedMessage>${message}</EncodedMessage></Error>`,
    ],
    ['a sentence', `An error occurred. Encoded authorization failure message: ${message}.`],
    ['response headers', `x-amz-request-id: 1\r\nx-encoded-message: ${message}\r\nserver: x`],
    ['JSON', JSON.stringify({ Error: { Message: 'no', EncodedMessage: message } })],
    [
      'a longer token beside it',
      `x-amz-security-token: dps1.abcdefghij234567.${'x'.repeat(900)} ${message}`,
    ],
  ] as const) {
    it(`takes ${title}`, () => {
      assert.equal(extractMessage(pasted), message)
    })
  }

  for (const pasted of [
    '',
    'Access Denied',
    'dpm1.',
    'dpm1.ABCDEFGHIJ234567.xyz',
    'a'.repeat(5000),
  ]) {
    it(`finds none in ${JSON.stringify(pasted.slice(0, 30))}`, () => {
      assert.equal(extractMessage(pasted), undefined)
    })
  }
})
