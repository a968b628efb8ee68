import type { FetchText, TokenReview, TokenReviewer } from '../identity/index.ts'
import { apiError, valueOf, type ClusterApi } from './api.ts'
import { objectOf } from './resources/object.ts'

/** `authentication.k8s.io/v1` TokenReview of a cluster. */
export function createTokenReviewer(api: ClusterApi): TokenReviewer {
  return {
    async review(token, audiences) {
      const answer = await api.send('/apis/authentication.k8s.io/v1/tokenreviews', {
        method: 'POST',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token: token.reveal(), audiences },
        },
      })
      // Whoever does not know this question has not said no to the token: that would be an answer to remember.
      if (answer.status === 404) throw apiError(answer)
      return readReview(valueOf(answer))
    },
  }
}

function readReview(value: unknown): TokenReview {
  const status = objectOf(objectOf(value)['status'])
  const user = objectOf(status['user'])
  const extra = Object.entries(objectOf(user['extra'])).map(
    ([key, values]) => [key, texts(values)] as const,
  )
  return {
    authenticated: status['authenticated'] === true,
    audiences: texts(status['audiences']),
    username: text(user['username']),
    uid: text(user['uid']),
    groups: texts(user['groups']),
    extra: new Map(extra),
  }
}

/**
 * Fetches a cluster's discovery document and keys from the API server itself, whatever address the document gives for
 * the keys: that one may be for other networks, and who answers there is not known.
 */
export function createIssuerFetch(api: ClusterApi): FetchText {
  return async (url, { timeoutMs }) => {
    const isDiscovery = url.endsWith('/.well-known/openid-configuration')
    const path = isDiscovery ? '/.well-known/openid-configuration' : '/openid/v1/jwks'
    const answer = await api.send(path, { timeoutMs })
    return { status: answer.status, headers: {}, body: answer.text }
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
