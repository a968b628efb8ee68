import { isDeepStrictEqual } from 'node:util'
import { header, type HttpRequest, type HttpResponse } from '../../http.ts'
import type { ClusterDirectory } from '../directory.ts'
import {
  judgeRemoval,
  judgeResource,
  kindNamed,
  specOf,
  type JudgedKind,
} from '../judge/judge-resource.ts'
import { sentenceOf, warning, type Judgement, type Surroundings } from '../judge/judgement.ts'
import { isKubeObject } from '../resources/object.ts'
import { parseReview, writeReview, type AdmissionRequest } from './admission-review.ts'
import { readBody } from './read-body.ts'

export type WebhookOptions = Readonly<{
  directory: ClusterDirectory
  /** What is known of the cluster is whole, and not too old. */
  isFresh(): boolean
  homeCluster: string
  /** Names of all clusters whose pods may come. */
  clusters: readonly string[]
  labelSelectors: boolean
  onError(what: string, error: unknown): void
}>

const longestJudgingMs = 200

type Answer = Parameters<typeof writeReview>[1]

const path = '/validate'
/** Kubernetes, ValidatingWebhookConfiguration: 1 to 30. */
const [usualSeconds, longestSeconds] = [10, 30]

/**
 * Admission: a resource that could not count is refused with all that is wrong with it, and what was probably not meant
 * comes as warnings. Changes nothing and asks nobody, so a dry run is like any other. What already stands there may stay,
 * and may always be deleted.
 */
export function createWebhookFace(
  options: WebhookOptions,
): (request: HttpRequest) => Promise<HttpResponse> {
  return async (request) => {
    const begun = performance.now()
    if (request.path !== path) return refusal(404, `there is only ${path}`)
    if (request.method !== 'POST') return refusal(405, 'POST an AdmissionReview', { allow: 'POST' })
    const type = header(request, 'content-type')?.split(';')[0]?.trim().toLowerCase()
    if (type !== 'application/json') return refusal(400, 'the content type is application/json')
    const wholeMs = timeoutOf(request.query) * 1000
    request.proceed()
    const body = await readBody(request, wholeMs)
    if (body === 'too-large') return refusal(413, 'the body is too large')
    if (body === 'incomplete') return refusal(400, 'the body did not arrive whole and in time')
    const review = parseReview(body.text)
    if (review === undefined)
      return refusal(400, 'this is no AdmissionReview of admission.k8s.io/v1')
    const judgingAt = performance.now()
    // Whoever wants credentials waits meanwhile, and the API server for no longer than it says.
    const isLate = () =>
      performance.now() - judgingAt > longestJudgingMs || performance.now() - begun > wholeMs / 2
    return json(200, writeReview(review.uid, admit(review, isLate, options)))
  }
}

function admit(
  { operation, apiVersion, kind: name, subResource, object, oldObject }: AdmissionRequest,
  isLate: () => boolean,
  options: WebhookOptions,
): Answer {
  const kind = kindNamed(apiVersion, name)
  if (kind === undefined || kind === 'MinioTenant') {
    return { allowed: true, warnings: [`${apiVersion} ${name} is not judged here`] }
  }
  if (subResource !== undefined) return { allowed: true, warnings: [] }
  if (operation === 'DELETE') return admitRemoval(kind, oldObject, isLate, options)
  const { problems, warnings } = judgeAsFarAsKnown(kind, object, isLate, options)
  const words = warnings.map(sentenceOf)
  if (problems.length === 0) return { allowed: true, warnings: words }
  const reasons = problems.map(sentenceOf)
  // Labels, finalizers and owners of what stands there already must stay changeable.
  if (operation === 'UPDATE' && isSame(specOf(object), specOf(oldObject))) {
    return { allowed: true, warnings: [...reasons, ...words] }
  }
  return { allowed: false, message: `${name} is not valid: ${reasons.join('; ')}`, warnings: words }
}

function admitRemoval(
  kind: JudgedKind,
  oldObject: unknown,
  isLate: () => boolean,
  options: WebhookOptions,
): Answer {
  if (!options.isFresh() || !isKubeObject(oldObject)) return { allowed: true, warnings: [] }
  const warnings = judgeRemoval(kind, oldObject, { ...options, isLate })
  return { allowed: true, warnings: warnings.map(sentenceOf) }
}

/** Where the rest of the cluster is not known, or something of ours fails over it, the resource alone is judged. */
function judgeAsFarAsKnown(
  kind: JudgedKind,
  object: unknown,
  isLate: () => boolean,
  options: WebhookOptions,
): Judgement {
  const surroundings: Surroundings = { ...options, isLate }
  try {
    if (options.isFresh()) return judgeResource(kind, object, surroundings)
  } catch (error) {
    options.onError('judging at admission', error)
  }
  const { problems, warnings } = judgeResource(kind, object, undefined)
  const message = 'was looked at by itself alone: what else is in the cluster is not known now'
  return { problems, warnings: [...warnings, warning('', message)] }
}

function isSame(one: unknown, other: unknown): boolean {
  try {
    return isDeepStrictEqual(one, other)
  } catch {
    // Nested so deeply that comparing does not end well.
    return false
  }
}

/** The API server says how long it waits: `timeout=10s`. */
function timeoutOf(query: string): number {
  const seconds = Number(/(?:^|&)timeout=(\d{1,3})s(?:&|$)/.exec(query)?.[1] ?? usualSeconds)
  return Math.min(Math.max(seconds, 1), longestSeconds)
}

function refusal(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return { ...json(status, { message }), headers: { ...jsonHeaders, ...headers }, close: true }
}

const jsonHeaders = { 'content-type': 'application/json' }

function json(status: number, value: unknown): HttpResponse {
  return { status, headers: jsonHeaders, body: JSON.stringify(value) }
}
