import { isDeepStrictEqual } from 'node:util'
import {
  BindingIndex,
  compilePattern,
  type BindingSubject,
  type BoundSubject,
  type ServiceAccountBinding,
} from '../grants/index.ts'
import type { MirrorTarget } from './mirror.ts'
import type { KubeObject } from './resources/object.ts'

type Labels = ReadonlyMap<string, string>
type KnownLabels = Pick<BoundSubject, 'namespaceLabels' | 'serviceAccountLabels'>

/** The namespaces and service accounts of the cluster, with their labels: what selectors of bindings look at. */
export class Accounts {
  readonly #namespaces = new Map<string, Labels>()
  readonly #accounts = new Map<string, Map<string, Labels>>()
  /** Whether what is known is no older than what decides may be. */
  #areFresh: () => boolean = () => false
  #version = 0

  /** Another number when something of it has changed. */
  get version(): number {
    return this.#version
  }

  targets(areFresh: () => boolean): Readonly<{ namespaces: MirrorTarget; accounts: MirrorTarget }> {
    this.#areFresh = areFresh
    return {
      namespaces: {
        put: ({ metadata }) => this.#set(this.#namespaces, metadata.name, labelsOf(metadata)),
        delete: (_, name) => this.#remove(this.#namespaces, name),
      },
      accounts: {
        put: ({ metadata }) => {
          const { name, namespace = '' } = metadata
          const named = this.#accounts.get(namespace) ?? new Map<string, Labels>()
          this.#accounts.set(namespace, named)
          this.#set(named, name, labelsOf(metadata))
        },
        delete: (namespace, name) => {
          const named = this.#accounts.get(namespace)
          if (named) this.#remove(named, name)
          if (named?.size === 0) this.#accounts.delete(namespace)
        },
      },
    }
  }

  /** None while they are too old: a label that was taken away long ago must give nothing. */
  labelsOf(namespace: string, serviceAccount: string): KnownLabels {
    return this.#areFresh() ? this.#labels(namespace, serviceAccount) : {}
  }

  /** How many of them the binding fits now, by the same index that decides. `undefined`: which there are is not known. */
  count(binding: ServiceAccountBinding, cluster: string): number | undefined {
    if (this.#accounts.size === 0 || !this.#areFresh()) return undefined
    const index = new BindingIndex(cluster)
    // What a token says is not known here: such a binding counts as one that may fit.
    const subjects = binding.subjects.map((subject) => ({ ...subject, claims: undefined }))
    index.put({ ...binding, subjects })
    const tenant = { namespace: binding.namespace, name: binding.tenant ?? '' }
    const fits = ([namespace, serviceAccount]: readonly [string, string]): boolean => {
      const labels = this.#labels(namespace, serviceAccount)
      const asking = { cluster, namespace, serviceAccount, ...labels, claims: new Map() }
      return labels.serviceAccountLabels !== undefined && index.find(tenant, asking).length > 0
    }
    const found = new Map(
      binding.subjects.flatMap((subject) =>
        [...this.#candidates(subject)].map((account) => [account.join('/'), account]),
      ),
    )
    return [...found.values()].filter(fits).length
  }

  #labels(namespace: string, serviceAccount: string): KnownLabels {
    return {
      namespaceLabels: this.#namespaces.get(namespace),
      serviceAccountLabels: this.#accounts.get(namespace)?.get(serviceAccount),
    }
  }

  /** Most bindings spell their service accounts out: then there is no need to look through all. */
  *#candidates({
    namespace,
    serviceAccount,
  }: BindingSubject): Generator<readonly [string, string]> {
    const isOne = !namespace.includes('*')
    const fits = compilePattern(namespace)
    const fitsName = compilePattern(serviceAccount)
    for (const home of isOne ? [namespace] : [...this.#accounts.keys()].filter(fits)) {
      const named = this.#accounts.get(home)
      if (!serviceAccount.includes('*')) yield [home, serviceAccount]
      else for (const name of named?.keys() ?? []) if (fitsName(name)) yield [home, name]
    }
  }

  #set(map: Map<string, Labels>, name: string, labels: Labels): void {
    if (isDeepStrictEqual(map.get(name), labels)) return
    map.set(name, labels)
    this.#version += 1
  }

  #remove(map: Map<string, Labels>, name: string): void {
    if (map.delete(name)) this.#version += 1
  }
}

function labelsOf({ labels }: KubeObject['metadata']): Labels {
  return new Map(Object.entries(labels ?? {}))
}
