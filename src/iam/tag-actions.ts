import type { Administration, Tagged, Tags } from '../admin/index.ts'
import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { findPolicy, userArn, roleArn } from './arn.ts'
import { tagElements } from './elements.ts'
import { findProvider, findRole, findUser } from './find.ts'
import { page, pageParameters } from './page.ts'
import type { Parameter } from './parameter.ts'
import {
  atLeastOne,
  listOf,
  named,
  policyArnText,
  required,
  roleName,
  tags,
  text,
  userName,
} from './parameter.ts'
import { on } from './permissions.ts'

/** What carries tags. */
type Noun = Readonly<{
  word: string
  kind: Tagged['kind']
  /** The name or ARN on the wire. */
  given: Parameter<string>
  /** The ARN that permission is asked for. */
  arn(given: string): string
  find(admin: Administration, given: string): Readonly<{ name: string; tags: Tags }>
}>

const nouns: readonly Noun[] = [
  {
    word: 'User',
    kind: 'user',
    given: named('UserName', required(userName)),
    arn: userArn,
    find: findUser,
  },
  {
    word: 'Role',
    kind: 'role',
    given: named('RoleName', required(roleName)),
    arn: roleArn,
    find: findRole,
  },
  {
    word: 'Policy',
    kind: 'policy',
    given: named('PolicyArn', required(policyArnText)),
    arn: (given) => given,
    find: findPolicy,
  },
  {
    word: 'OpenIDConnectProvider',
    kind: 'provider',
    given: named('OpenIDConnectProviderArn', required(text)),
    arn: (given) => given,
    find: (admin, given) => ({ name: given, tags: findProvider(admin, given).tags }),
  },
]

/** AWS IAM API reference: tags of users, roles, policies and OpenID Connect providers. */
export const tagActions: readonly (readonly [string, Action])[] = nouns.flatMap((noun) => {
  const { word, kind, given, arn, find } = noun
  return [
    [
      `Tag${word}`,
      defineAction({
        parameters: { given, Tags: tags },
        effect: 'change',
        permissions: (values) => on(`Tag${word}`, arn(values.given), { tags: values.Tags }),
        run: async (values, { admin }) => {
          const { name } = find(admin, values.given)
          await admin.tag({ kind, name }, values.Tags)
          return {}
        },
      }),
    ],
    [
      `Untag${word}`,
      defineAction({
        parameters: { given, TagKeys: atLeastOne(listOf(text)) },
        effect: 'change',
        permissions: (values) => on(`Untag${word}`, arn(values.given), { tagKeys: values.TagKeys }),
        run: async (values, { admin }) => {
          const { name } = find(admin, values.given)
          await admin.untag({ kind, name }, values.TagKeys)
          return {}
        },
      }),
    ],
    [
      `List${word}Tags`,
      defineAction({
        parameters: { given, ...pageParameters },
        effect: 'read',
        permissions: (values) => on(`List${word}Tags`, arn(values.given)),
        run: ({ given: name, ...range }, { admin }) =>
          page(
            'Tags',
            [...find(admin, name).tags],
            ([key]) => key,
            range,
            (tag) => tagElements(new Map([tag]))[0] ?? '',
          ),
      }),
    ],
  ]
})
