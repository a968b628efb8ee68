import { after, before, describe, type TestContext } from 'node:test'
import { countUp, keepsItsBounds, repeatTo } from '../../test/bounds/index.ts'
import { AdminError } from '../admin/index.ts'
import { Fields } from './fields.ts'
import { parseForm } from './form.ts'
import { IamError } from './iam-error.ts'
import { atLeastOne, flag, listOf, marker, pageSize, policyArnText, seconds } from './parameter.ts'
import { tags, text, userName } from './parameter.ts'
import { contextEntries } from './simulation-context.ts'
import { makeWorld, post, root, type World } from './testing/world.ts'

const refuses = (error: unknown) => error instanceof IamError || error instanceof AdminError

describe('bounds of IAM requests', () => {
  keepsItsBounds({
    name: 'parseForm',
    parse: (body) => parseForm(body.slice(0, body.length / 2), body),
    refuses,
    words: ['&', '=', '%26', '%', '+', 'Action=', '.'],
    hostile: { 'thousands of parameters': countUp((n) => `p${n}=&`) },
  })
  keepsItsBounds({
    name: 'the lists of a form',
    parse: (body) => {
      const fields = new Fields(parseForm('', body))
      tags.read(fields, 'Tags')
      contextEntries.read(fields, 'ContextEntries')
      atLeastOne(listOf(text)).read(fields, 'ActionNames')
      return [...fields.left()]
    },
    refuses,
    words: ['Tags.member.1.Key=', 'Tags.member.', 'ActionNames.member.1=', '&', '.', '=', '%'],
    hostile: {
      'thousands of names': countUp((n) => `ActionNames.member.${n + 1}=a&`),
      'thousands of tags': countUp(
        (n) => `Tags.member.${n + 1}.Key=k${n}&Tags.member.${n + 1}.Value=&`,
      ),
      'thousands of suppositions': countUp(
        (n) => `ContextEntries.member.${n + 1}.ContextKeyName=a&`,
      ),
      'lists of lists of lists': countUp((n) => `a.member.1.b.member.1.c.member.1.d.${n}=&`),
      'one long name': repeatTo('a.member.1.', 65_000),
    },
  })
  keepsItsBounds({
    name: 'the values of a form',
    parse: (value) => {
      for (const parse of [policyArnText, userName, marker, pageSize, seconds, flag]) {
        parse(value, 'Value')
      }
    },
    refuses,
    words: ['arn:aws:iam::000000000000:policy/', 'a', '1', '/', '\n', '_'],
    frames: [(rest) => rest, (rest) => `arn:aws:iam::000000000000:policy/${rest}`],
  })

  let world: World
  const ends: (() => unknown)[] = []
  before(async () => {
    const context = { after: (end: () => unknown) => ends.push(end) }
    world = await makeWorld(context as unknown as TestContext)
  })
  after(() => Promise.all(ends.map((end) => end())))
  keepsItsBounds({
    name: 'a signed call',
    parse: async (body) => {
      const { status } = await world.face.handle(post(body, root))
      if (status >= 500) throw new Error(`answered with ${status}`)
    },
    refuses: () => false,
    words: ['&', '=', '%22', '%', '{', 'Action=CreatePolicy&', 'Tags.member.1.Key='],
    frames: [
      (rest) => rest,
      (rest) => `Version=2010-05-08&Action=CreatePolicy&PolicyName=p&PolicyDocument=${rest}`,
      (rest) => `Version=2010-05-08&Action=TagUser&UserName=u&${rest}`,
      (rest) =>
        `Version=2010-05-08&Action=SimulateCustomPolicy&ActionNames.member.1=s3:GetObject&PolicyInputList.member.1=${rest}`,
    ],
  })
})
