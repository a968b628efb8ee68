import type { HttpRequest, HttpResponse } from '../http.ts'
import type { Metrics } from './metrics.ts'

type Readiness = Readonly<{ ready: boolean; reasons: readonly string[] }>

/** `/metrics`, `/live`, `/ready`; MinIO's health paths are answered too, so that probes need no change. */
export function createOperationsFace(
  options: Readonly<{ metrics: Metrics; readiness: () => Readiness }>,
): (request: HttpRequest) => Promise<HttpResponse> {
  async function answer(path: string): Promise<HttpResponse> {
    switch (path) {
      case '/metrics': {
        const { contentType, text } = await options.metrics.render()
        return { status: 200, headers: { 'content-type': contentType }, body: text }
      }
      case '/live':
      case '/minio/health/live':
        return json(200, { live: true })
      case '/ready':
      case '/minio/health/ready': {
        const readiness = options.readiness()
        return json(readiness.ready ? 200 : 503, readiness)
      }
      default:
        return json(404, { error: 'there are /metrics, /live and /ready' })
    }
  }
  return (request) =>
    request.method === 'GET' || request.method === 'HEAD'
      ? answer(request.path)
      : Promise.resolve(json(405, { error: 'GET and HEAD only' }))
}

function json(status: number, value: unknown): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: `${JSON.stringify(value)}\n`,
  }
}
