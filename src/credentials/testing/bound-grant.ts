import type { Grant } from '../../grants/index.ts'
import { janesGrant } from './grants.ts'

/** The tenant of `boundGrant`. */
export const boundTenant = 'store/main'

/** What a binding in namespace `store` gives to the service account `shop/web`, at noon, for an hour. */
export function boundGrant(changes: Partial<Grant> = {}): Grant {
  return janesGrant({
    principal: {
      kind: 'service-account',
      provider: 'local',
      issuer: 'https://kubernetes.default.svc',
      subject: 'system:serviceaccount:shop:web',
      displayName: 'shop/web',
      groups: [],
      claims: new Map([
        ['namespace', 'shop'],
        ['serviceaccount', 'web'],
      ]),
    },
    tenant: boundTenant,
    source: {
      kind: 'binding',
      bindings: ['daypass.dev/Binding/store/web'],
      names: ['readonly'],
      documents: [],
    },
    sessionName: 'shop-web',
    tags: new Map([['kubernetes-namespace', 'shop']]),
    lineage: {},
    ...changes,
  })
}
