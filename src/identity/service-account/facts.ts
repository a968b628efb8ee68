import { isJsonObject, type JsonObject } from '../json-object.ts'
import type { TokenReview } from './settings.ts'

/** What a cluster says of the pod that a token is bound to. Absent: not said. */
export type PodFacts = Readonly<{
  pod?: string
  pod_uid?: string
  node?: string
  serviceaccount_uid?: string
}>

/** The claim `kubernetes.io` of a bound token (Kubernetes documentation, Managing Service Accounts). */
export function factsOfClaims(claims: JsonObject): PodFacts {
  const bound = objectOf(claims['kubernetes.io'])
  const [pod, node, account] = [bound.pod, bound.node, bound.serviceaccount].map(objectOf)
  return texts({
    pod: pod?.name,
    pod_uid: pod?.uid,
    node: node?.name,
    serviceaccount_uid: account?.uid,
  })
}

/** The same, as the API server adds it to its answer. */
export function factsOfReview({ extra, uid }: TokenReview): PodFacts {
  const one = (name: string) => {
    const [value, ...more] = extra.get(`authentication.kubernetes.io/${name}`) ?? []
    return more.length === 0 ? value : undefined
  }
  return texts({
    pod: one('pod-name'),
    pod_uid: one('pod-uid'),
    node: one('node-name'),
    serviceaccount_uid: uid,
  })
}

/** The namespace that the token itself names; it must be that of its subject. */
export function namespaceOf(claims: JsonObject): unknown {
  return objectOf(claims['kubernetes.io']).namespace
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {}
}

function texts(facts: Readonly<Record<keyof PodFacts, unknown>>): PodFacts {
  const kept = Object.entries(facts).filter(
    ([, value]) => typeof value === 'string' && value !== '' && value.length <= 253,
  )
  return Object.fromEntries(kept)
}
