import type { Command } from 'commander'
import type { Answer } from '../answer.ts'
import { done, manyTexts, remote } from '../command.ts'
import type { Setting } from '../command.ts'
import { listFields } from '../lists.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'

const prefix = 'arn:aws:iam::000000000000:oidc-provider/'

/** A provider goes by its ARN or by its URL. */
function arnOf(given: string): string {
  return given.startsWith('arn:') ? given : prefix + given.replace(/^https?:\/\//, '')
}

export function addProviderCommands(admin: Command, setting: Setting): void {
  const provider = admin.command('provider').description('OpenID Connect providers')
  remote(provider.command('ls').description('list all providers'), setting, async (client) => {
    const list = await client.call('iam', 'ListOpenIDConnectProviders')
    const providers = list.items('OpenIDConnectProviderList').map((each) => ({
      arn: each.text('Arn') ?? '',
      managedBy: each.text('ManagedBy') ?? '',
      state: each.text('State') ?? '',
      ...problemOf(each),
    }))
    const rows = providers.map(({ arn, managedBy, state }) => [
      arn.slice(prefix.length),
      managedBy,
      state,
    ])
    return { value: providers, text: table(['PROVIDER', 'MANAGED BY', 'STATE'], rows) }
  })
  remote(
    provider.command('get').argument('<url>').description('show a provider'),
    setting,
    async (client, [given = '']) => {
      const arn = arnOf(given)
      const found = await client.call('iam', 'GetOpenIDConnectProvider', {
        OpenIDConnectProviderArn: arn,
      })
      const url = found.text('Url') ?? ''
      const value = {
        arn,
        url: url.includes('://') ? url : `https://${url}`,
        clientIds: clientIds(found),
        state: found.text('State') ?? '',
        ...problemOf(found),
      }
      const rows = [
        ['url', value.url],
        ['arn', value.arn],
        ['client ids', value.clientIds.join(', ')],
        ['state', value.state],
        ...(value.problem === undefined ? [] : [['problem', value.problem]]),
      ]
      return { value, text: table(['', ''], rows).trimStart() }
    },
  )
  const add = provider
    .command('add')
    .argument('<url>', 'its issuer, https')
    .argument('<clientid...>', 'audiences that its tokens may have')
    .description('trust the tokens of a provider, as far as trust policies of roles name it')
  remote(add, setting, async (client, [Url = '']) => {
    const made = await client.call('iam', 'CreateOpenIDConnectProvider', {
      Url,
      ...listFields('ClientIDList', manyTexts(add, 1)),
    })
    const arn = made.text('OpenIDConnectProviderArn') ?? ''
    return { value: { arn }, text: `Provider ${printable(arn)} is created` }
  })
  remote(
    provider.command('rm').argument('<url>').description('delete a provider; its sessions end'),
    setting,
    async (client, [url = '']) => {
      const fields = { OpenIDConnectProviderArn: arnOf(url) }
      await client.call('iam', 'DeleteOpenIDConnectProvider', fields)
      return done(`Provider ${printable(url)} is deleted`)
    },
  )
  for (const [verb, action, words] of [
    ['add-client', 'AddClientIDToOpenIDConnectProvider', 'is accepted from'],
    ['remove-client', 'RemoveClientIDFromOpenIDConnectProvider', 'is no longer accepted from'],
  ] as const) {
    remote(
      provider
        .command(verb)
        .argument('<url>')
        .argument('<clientid>')
        .description(verb === 'add-client' ? 'accept an audience' : 'accept an audience no longer'),
      setting,
      async (client, [url = '', ClientID = '']) => {
        await client.call('iam', action, { OpenIDConnectProviderArn: arnOf(url), ClientID })
        return done(`Audience ${printable(ClientID)} ${words} ${printable(url)}`)
      },
    )
  }
}

function clientIds(provider: Answer): readonly string[] {
  return provider.items('ClientIDList').map((each) => String(each.value))
}

/** Why its keys could not be had. */
function problemOf(provider: Answer): Readonly<{ problem?: string }> {
  const problem = provider.text('Problem')
  return problem === undefined ? {} : { problem }
}
