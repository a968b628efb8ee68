import { describe } from 'node:test'
import { countUp, keepsItsBounds } from '../../test/bounds/index.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { readList, readPairs } from './lists.ts'
import { mergeParameters, parseFields } from './parameters.ts'
import { StsError } from './sts-error.ts'
import { openHouse, request } from './testing/house.ts'

const isStsError = (error: unknown) => error instanceof StsError

describe('bounds of STS requests', () => {
  keepsItsBounds({
    name: 'parseFields and lists',
    parse: (text) => {
      const parameters = mergeParameters([], parseFields(Buffer.from(text)))
      readList(parameters, 'PolicyArns', 'arn')
      readPairs(parameters, 'Tags', 'Key', 'Value')
    },
    refuses: isStsError,
    words: ['&', '=', '%26', '%', '+', 'Tags.member.1.Key=', 'PolicyArns.member.', '.'],
    hostile: {
      'thousands of parameters': countUp((n) => `p${n}=&`),
      'hundreds of members': countUp((n) => `Tags.member.${n + 1}.Key=&`, 6000),
      'numbers of members that are no places': countUp(
        (n) => `Tags.member.${9999 - n}.Key=&`,
        6000,
      ),
    },
  })
  keepsItsBounds({
    name: 'bytes of a form',
    parse: (text) => parseFields(Buffer.from(text, 'latin1')),
    refuses: isStsError,
    words: ['\u00c3\u00a4', '\u00ff', '&', '%c3', '='],
  })

  // No action may meet an error that it does not know: that would be a 500.
  const house = openHouse()
  const call = async (parts: Partial<HttpRequest> & { text?: string }) =>
    assertKnown(await house.face.handle(request(parts)))
  for (const [action, field] of [
    ['AssumeRoleWithWebIdentity', 'WebIdentityToken'],
    ['AssumeRoleWithLDAPIdentity', 'LDAPPassword'],
    ['AssumeRoleWithCustomToken', 'Token'],
    ['AssumeRole', 'Policy'],
    ['DecodeAuthorizationMessage', 'EncodedMessage'],
  ] as const) {
    keepsItsBounds({
      name: `the form of ${action}`,
      parse: (text) => call({ text: `Version=2011-06-15&Action=${action}&${text}` }),
      refuses: () => false,
      words: ['&', '=', '%22', '%', '{', 'RoleArn=', 'Tags.member.1.Key=', `${field}=`],
      frames: [(rest) => rest, (rest) => `RoleArn=a&RoleSessionName=bb&${field}=${rest}`],
    })
  }
  keepsItsBounds({
    name: 'the query of a call',
    parse: (query) => call({ method: 'GET', query, headers: [['Host', 'sts.example.com']] }),
    refuses: () => false,
    words: ['&', '=', '%', 'Action=AssumeRole&', 'Version=2011-06-15&', 'X-Amz-Signature=', '+'],
  })
})

function assertKnown({ status }: HttpResponse): void {
  if (status >= 500) throw new Error(`answered with ${status}`)
}
