import { BindingIndex, createTenantGrants } from '../../grants/index.ts'
import type { Grant, GrantRequest, ServiceAccountBinding, Tenant } from '../../grants/index.ts'
import type { Principal } from '../../identity/index.ts'

/** What a test says of who asks, for what, and of what binds. */
export type Scene = Partial<
  Readonly<{
    tenant: Partial<Tenant>
    bindings: readonly Partial<ServiceAccountBinding>[]
    request: Partial<GrantRequest>
    /** Of the token. */
    secondsLeft: number
    clock: () => Date
    serviceAccount: string
  }>
>

export const bindingName = 'daypass.dev/Binding/store/b0'

/** A grant as the real room makes it, for the service account `shop/web` in the tenant `store/main`. */
export function boundGrant(scene: Scene = {}): Grant {
  const clock = scene.clock ?? (() => new Date())
  const { serviceAccount = 'web' } = scene
  const tenant: Tenant = {
    namespace: 'store',
    name: 'main',
    target: 'assume-role',
    maxSessionSeconds: 43_200,
    ...scene.tenant,
  }
  const index = new BindingIndex('local')
  for (const [at, binding] of (scene.bindings ?? [{}]).entries()) {
    index.put({
      id: `daypass.dev/Binding/store/b${at}`,
      namespace: 'store',
      subjects: [{ namespace: 'shop', serviceAccount: '*' }],
      policies: binding.documents || binding.roleArn ? [] : ['readonly'],
      documents: [],
      ...binding,
    })
  }
  const grants = createTenantGrants({
    tenants: {
      findTenants: () => [tenant],
      bindingsFor: (of, subject) => index.find(of, subject),
      labelsOf: () => ({}),
    },
    limits: { minSeconds: 900, maxSessionPolicyBytes: 2048 },
    clock,
  })
  return grants.authorize(principalOf(serviceAccount, clock(), scene.secondsLeft ?? 3600), {
    action: 'sts:AssumeRoleWithWebIdentity',
    tenant: { namespace: 'store' },
    client: { source: '10.0.0.7', secure: true },
    ...scene.request,
  })
}

function principalOf(account: string, now: Date, secondsLeft: number): Principal {
  const fields = {
    kind: 'service-account',
    provider: 'local',
    issuer: 'https://kubernetes.default.svc',
    subject: `system:serviceaccount:shop:${account}`,
    displayName: `shop/${account}`,
    groups: [],
    claims: new Map<string, unknown>([
      ['namespace', 'shop'],
      ['serviceaccount', account],
      ['pod', `${account}-1`],
      ['sub', `system:serviceaccount:shop:${account}`],
    ]),
    expiresAt: new Date(now.getTime() + secondsLeft * 1000),
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand belongs to the identity room
  return fields as unknown as Principal
}

/** A document of one statement that allows. */
export function allow(
  Action: string | readonly string[],
  Resource: string | readonly string[] = '*',
): string {
  return documentOf({ Effect: 'Allow', Action, Resource })
}

export function documentOf(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}
