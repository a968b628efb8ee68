/** An object of the API, whatever its kind is: all but the metadata is unjudged. */
export type KubeObject = Readonly<{
  metadata: Readonly<{
    name: string
    namespace?: string
    uid?: string
    generation?: number
    resourceVersion?: string
    labels?: Readonly<Record<string, string>>
    deletionTimestamp?: string
  }>
}> &
  Readonly<Record<string, unknown>>

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An empty one for whatever is none. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** Whether it has what every object of the API has. */
export function isKubeObject(value: unknown): value is KubeObject {
  return isObject(value) && typeof objectOf(value['metadata'])['name'] === 'string'
}
