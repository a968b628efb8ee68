import { isObject, objectOf, type JsonObject, type KubeObject } from '../resources/object.ts'

/** What is asked at admission (`admission.k8s.io/v1`). */
export type AdmissionRequest = Readonly<{
  uid: string
  operation: 'CREATE' | 'UPDATE' | 'DELETE'
  apiVersion: string
  kind: string
  subResource: string | undefined
  /** As the API server has them: name and namespace are in the metadata. */
  object: unknown
  oldObject: unknown
}>

type AdmissionAnswer = Readonly<{
  allowed: boolean
  /** Why not. */
  message?: string
  warnings: readonly string[]
}>

/** `undefined`: the text is no review of version v1 that asks about creating, changing or deleting something. */
export function parseReview(text: string): AdmissionRequest | undefined {
  const review = parseJson(text)
  if (review['apiVersion'] !== 'admission.k8s.io/v1' || review['kind'] !== 'AdmissionReview') {
    return undefined
  }
  const request = objectOf(review['request'])
  const { uid, operation, subResource, object, oldObject } = request
  const { group, version, kind } = objectOf(request['kind'])
  if (typeof uid !== 'string' || uid === '' || !isOperation(operation)) return undefined
  if (typeof group !== 'string' || typeof version !== 'string' || typeof kind !== 'string') {
    return undefined
  }
  return {
    uid,
    operation,
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind,
    subResource: typeof subResource === 'string' && subResource !== '' ? subResource : undefined,
    object: named(object, request),
    oldObject: named(oldObject, request),
  }
}

function parseJson(text: string): JsonObject {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return {}
  }
}

function isOperation(value: unknown): value is AdmissionRequest['operation'] {
  return value === 'CREATE' || value === 'UPDATE' || value === 'DELETE'
}

/** With `generateName` there is no name yet, and a namespace may stand in the request alone. */
function named(object: unknown, { namespace, name }: JsonObject): KubeObject | undefined {
  if (!isObject(object)) return undefined
  const metadata = objectOf(object['metadata'])
  const prefix = metadata['generateName']
  const made = typeof prefix === 'string' && prefix !== '' ? `${prefix}00000` : ''
  const isText = (text: unknown): text is string => typeof text === 'string' && text !== ''
  const own = [metadata['name'], name, made].find(isText)
  const place = metadata['namespace'] ?? namespace
  return {
    ...object,
    metadata: {
      ...metadata,
      name: own ?? '',
      ...(typeof place === 'string' && { namespace: place }),
    },
  }
}

/** Kubernetes, dynamic admission control: warnings longer than 256 characters, or of 4096 in all, may be cut off. */
const longestWarning = 240
const mostWarnings = 16
const longestMessage = 4000

export function writeReview(
  uid: string,
  { allowed, message, warnings }: AdmissionAnswer,
): JsonObject {
  const short = [...new Set(warnings.map((text) => cut(text, longestWarning)))]
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed,
      ...(message !== undefined && {
        status: { code: 422, reason: 'Invalid', message: cut(message, longestMessage) },
      }),
      ...(short.length > 0 && { warnings: short.slice(0, mostWarnings) }),
    },
  }
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}
