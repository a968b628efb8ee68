import { describe } from 'node:test'
import { countUp, keepsItsBounds, repeatTo } from '../../test/bounds/index.ts'
import { CliError } from './cli-error.ts'
import { parseEndpoint } from './endpoint.ts'
import { extractMessage } from './extract-message.ts'
import { parseXml } from './parse-xml.ts'
import { printable } from './printable.ts'

const refuses = (error: unknown) => error instanceof CliError

describe('bounds of what the command line reads', () => {
  keepsItsBounds({
    name: 'an answer in XML',
    parse: (text) => JSON.stringify(parseXml(text).value),
    refuses,
    words: ['<a>', '</a>', '<a/>', '&amp;', '<', ' a=""', '<!--', '<![CDATA[', '<__proto__>'],
    frames: [(rest) => rest, (rest) => `<a>${rest}</a>`, (rest) => `<a ${rest}/>`],
    hostile: {
      'a document type': '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
      'deep elements': `${repeatTo('<a>', 28_000)}${repeatTo('</a>', 37_332)}`,
      'thousands of names': `<a>${countUp((n) => `<b${n}/>`)}</a>`,
      'thousands of attributes': `<a ${countUp((n) => `b${n}="" `)}/>`,
    },
  })
  keepsItsBounds({
    name: 'what somebody pasted',
    parse: (text) => {
      extractMessage(text)
      printable(text)
    },
    refuses: () => false,
    words: ['dpm1.', 'abcdefgh', '.', '_', 'dpm1', '\u001b[31m', '\n'],
  })
  keepsItsBounds({
    name: 'parseEndpoint',
    parse: parseEndpoint,
    refuses,
    words: ['http://', '/', '@', ':', '%', '[', 'ä', '?'],
    frames: [(rest) => rest, (rest) => `http://${rest}`],
  })
})
