import { defineAction } from './action.ts'
import type { Action } from './action.ts'
import { providerArnOfUrl } from './arn.ts'
import { providerElement, tagElements } from './elements.ts'
import { findProvider } from './find.ts'
import { atLeastOne, listOf, named, required, tags, text } from './parameter.ts'
import { on, onAll, onNew } from './permissions.ts'
import type { ProviderState } from './types.ts'
import type { Members } from './value.ts'

const arn = named('OpenIDConnectProviderArn', required(text))

/** AWS IAM API reference, OpenID Connect providers. Thumbprints are kept and answered; TLS goes by its authorities. */
export const providerActions: readonly (readonly [string, Action])[] = [
  [
    'CreateOpenIDConnectProvider',
    defineAction({
      parameters: {
        Url: required(text),
        ClientIDList: listOf(text),
        ThumbprintList: listOf(text),
        Tags: tags,
      },
      effect: 'change',
      permissions: ({ Url, Tags }) =>
        onNew(
          providerArnOfUrl(Url),
          { create: 'CreateOpenIDConnectProvider', tag: 'TagOpenIDConnectProvider' },
          { tags: Tags },
        ),
      run: async ({ Url, ClientIDList, ThumbprintList, Tags }, { admin }) => {
        const provider = await admin.createProvider({
          url: Url,
          clientIds: ClientIDList,
          thumbprints: ThumbprintList,
          tags: Tags,
        })
        return { OpenIDConnectProviderArn: provider.arn, Tags: tagElements(provider.tags) }
      },
    }),
  ],
  [
    'GetOpenIDConnectProvider',
    defineAction({
      parameters: { arn },
      effect: 'read',
      permissions: (values) => on('GetOpenIDConnectProvider', values.arn),
      run: (values, { admin, providerState }) => ({
        ...providerElement(findProvider(admin, values.arn)),
        ...stateElements(providerState?.(values.arn)),
      }),
    }),
  ],
  [
    'ListOpenIDConnectProviders',
    defineAction({
      parameters: {},
      effect: 'read',
      permissions: () => onAll('ListOpenIDConnectProviders'),
      run: (_, { admin, providerState }) => ({
        OpenIDConnectProviderList: admin.listProviders().map((provider) => ({
          Arn: provider.arn,
          ManagedBy: provider.managedBy,
          ...stateElements(providerState?.(provider.arn)),
        })),
      }),
    }),
  ],
  [
    'DeleteOpenIDConnectProvider',
    defineAction({
      parameters: { arn },
      effect: 'change',
      permissions: (values) => on('DeleteOpenIDConnectProvider', values.arn),
      run: async (values, { admin }) => {
        await admin.deleteProvider(values.arn)
        return {}
      },
    }),
  ],
  [
    'AddClientIDToOpenIDConnectProvider',
    defineAction({
      parameters: { arn, ClientID: required(text) },
      effect: 'change',
      permissions: (values) => on('AddClientIDToOpenIDConnectProvider', values.arn),
      run: async (values, { admin }) => {
        await admin.addClientId(values.arn, values.ClientID)
        return {}
      },
    }),
  ],
  [
    'RemoveClientIDFromOpenIDConnectProvider',
    defineAction({
      parameters: { arn, ClientID: required(text) },
      effect: 'change',
      permissions: (values) => on('RemoveClientIDFromOpenIDConnectProvider', values.arn),
      run: async (values, { admin }) => {
        await admin.removeClientId(values.arn, values.ClientID)
        return {}
      },
    }),
  ],
  [
    'UpdateOpenIDConnectProviderThumbprint',
    defineAction({
      parameters: { arn, ThumbprintList: atLeastOne(listOf(text)) },
      effect: 'change',
      permissions: (values) => on('UpdateOpenIDConnectProviderThumbprint', values.arn),
      run: async (values, { admin }) => {
        await admin.updateThumbprints(values.arn, values.ThumbprintList)
        return {}
      },
    }),
  ],
]

/** Ours: AWS's clients pass over what they do not know. */
function stateElements(state: ProviderState | undefined): Members {
  if (state === undefined) return {}
  return { State: state.state, ...(state.problem !== undefined && { Problem: state.problem }) }
}
