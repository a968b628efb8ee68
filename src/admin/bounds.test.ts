import { describe } from 'node:test'
import { countUp, keepsItsBounds, repeatTo } from '../../test/bounds/index.ts'
import { AdminError } from './admin-error.ts'
import * as names from './names.ts'

const refuses = (error: unknown) => error instanceof AdminError

/** Each by itself, since the first that refuses would spare the others. */
const checks = {
  checkUserName: names.checkUserName,
  checkGroupName: names.checkGroupName,
  checkRoleName: names.checkRoleName,
  checkPolicyName: names.checkPolicyName,
  checkAccessKey: (text: string) => names.checkAccessKey(text, text),
  checkLdapSubject: (name: string) => names.checkLdapSubject({ kind: 'ldap-user', name }),
  checkDescription: names.checkDescription,
  providerName: names.providerName,
  checkClientIds: (text: string) => names.checkClientIds(text.split(',')),
}

describe('bounds of what administrators name', () => {
  for (const [name, parse] of Object.entries(checks)) {
    keepsItsBounds({
      name,
      parse,
      refuses,
      words: ['a', '=', '-', '/', '\n', 'https://', '\u{1f600}'],
      frames: [
        (rest) => rest,
        (rest) => `https://${rest.slice(0, 240)}!`,
        (rest) => rest.slice(0, 600),
      ],
    })
  }
  keepsItsBounds({
    name: 'checkTags',
    parse: (text) => names.checkTags(new Map(text.split('&').map((key) => [key, key]))),
    refuses,
    words: ['a', '&', ' ', 'aws:', '\u{1f600}'],
    hostile: { 'thousands of tags': countUp((n) => `t${n}&`), 'a long tag': repeatTo('a', 65_536) },
  })
})
