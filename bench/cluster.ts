import { Workshop, withoutOpenssl } from '../src/identity/certificate/testing/authority.ts'
import { installKinds } from '../test/e2e/cluster-scene.ts'
import { askOperator } from '../test/e2e/operator-process.ts'
import { startKube } from '../test/labs/kube-lab.ts'
import type { KubeLab } from '../test/labs/kube-lab.ts'
import { Skipped } from './part.ts'
import { daypassProgram } from './program.ts'
import type { Server, Workplace } from './workplace.ts'

/** A real API server with our kinds in it, for one part. */
export type Cluster = Readonly<{ lab: KubeLab; certificates: Workshop }>

export async function openCluster(place: Workplace): Promise<Cluster> {
  const missing = withoutOpenssl()
  if (missing !== false) throw new Skipped(missing)
  const lab = await startKube()
  if (typeof lab === 'string') throw new Skipped(lab)
  place.defer(() => lab.down())
  await installKinds(lab)
  const certificates = new Workshop()
  place.defer(() => certificates.close())
  certificates.make('ca', { extensions: 'ca' })
  certificates.make('sts', { by: 'ca', extensions: ['subjectAltName=IP:127.0.0.1'] })
  return { lab, certificates }
}

export function certificateFiles({ certificates }: Cluster) {
  return { certFile: certificates.file('sts.pem'), keyFile: certificates.file('sts.key') }
}

/** `daypass operator`, with all of its defaults but the limits: all load comes from one address. */
export type Operator = Server & Readonly<{ caFile: string; operationsUrl: string }>

const addresses = /STS\s+(https:\S+)\/sts[\s\S]*Operations\s+(http:\S+)\/metrics/

export async function startOperator(
  place: Workplace,
  cluster: Cluster,
  settings: object = {},
): Promise<Operator> {
  const any = '127.0.0.1:0'
  const config = place.file(
    JSON.stringify({
      address: any,
      operationsAddress: any,
      certificate: { mode: 'files', ...certificateFiles(cluster) },
      limits: { perSecond: 1_000_000, burst: 1_000_000, inFlight: 10_000 },
      ...settings,
    }),
  )
  const { kubeconfig } = cluster.lab
  const args = [daypassProgram, 'operator', '--config', config, '--kubeconfig', kubeconfig]
  const server = await place.serve(args, addresses)
  const [operationsUrl = ''] = server.more
  return { ...server, operationsUrl, caFile: cluster.certificates.file('ca.pem') }
}

/** Until it says that it would serve. */
export async function untilReady({ operationsUrl }: Operator): Promise<void> {
  for (;;) {
    const { status } = await fetch(`${operationsUrl}/ready`)
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export function formOf(token: string): string {
  const fields = { Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15' }
  return new URLSearchParams({ ...fields, WebIdentityToken: token }).toString()
}

export const formType = 'application/x-www-form-urlencoded'

/** Sent once, as a pod does; throws at whatever is no success. */
export async function exchangeOnce(
  { url, caFile }: Operator,
  path: string,
  token: string,
): Promise<Response> {
  const given = { headers: { 'content-type': formType }, body: formOf(token) }
  const { status, headers, text } = await askOperator({ endpoint: url, caFile }, path, given)
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
  const flat = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ])
  return new Response(text, { headers: flat })
}
