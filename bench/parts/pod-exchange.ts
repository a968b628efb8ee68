import { join } from 'node:path'
import { policyBinding, resource } from '../../test/e2e/cluster-scene.ts'
import { certificateFiles, exchangeOnce, formOf, formType } from '../cluster.ts'
import { openCluster, startOperator, untilReady } from '../cluster.ts'
import type { Cluster, Operator } from '../cluster.ts'
import { makeFigure, median } from '../figure.ts'
import type { Figure } from '../figure.ts'
import { copyAnswer } from '../floors/answer.ts'
import { floorAddress } from '../floors/serve.ts'
import type { WebIdentityFloor } from '../floors/web-identity.ts'
import { compare, load } from '../load/compare.ts'
import type { Contest } from '../load/compare.ts'
import { planRequest } from '../load/plan.ts'
import type { TokenReviewFloor, TokenReviewRates } from '../measure/token-reviews.ts'
import type { Pace, Part } from '../part.ts'
import { program } from '../program.ts'
import type { Server, Workplace } from '../workplace.ts'

const accounts = 8
const tokensOfEach = 16
const connections = 32
const path = '/sts/store'

type Scene = Readonly<{
  cluster: Cluster
  tokens: readonly string[]
  contest: Pick<Contest, 'requests' | 'connections' | 'keptTls'>
}>

export const podExchange: Part = {
  name: 'pod-exchange',
  floor:
    'known token: a bare node:https server that verifies the same RS256 tokens and answers the same bytes; ' +
    'reviewed token: bare TokenReviews of the same tokens, sent to the same API server by as many connections',
  async measure(place, wholePace) {
    // A cluster has to be started first, and there are two contests.
    const { rounds, firstWarmupSeconds } = wholePace
    const pace = {
      ...wholePace,
      rounds: Math.min(rounds, 3),
      firstWarmupSeconds: Math.min(firstWarmupSeconds, 3),
    }
    const cluster = await openCluster(place)
    const tokens = await fill(cluster)
    const scene: Scene = { cluster, tokens, contest: contestOf(cluster, tokens) }
    const warm = await start(place, scene, { tokenCacheSeconds: 60 })
    const floor = await startFloor(place, scene, warm)
    const exchanges = await compare(place, pace, {
      ...scene.contest,
      name: 'pod exchange, token known (gateway tenant, audit on)',
      ours: warm,
      floor,
      measure: 'rate',
    })
    const calls = 'API-server calls per exchange'
    const known = await countCalls(place, pace, scene, warm, `${calls}, token known`, 0)
    await warm.stop()
    const cold = await start(place, scene, { tokenCacheSeconds: 0 })
    const reviewed = await compareWithReviews(place, pace, scene, cold)
    const asked = await countCalls(place, pace, scene, cold, `${calls}, token reviewed`, 1)
    return [exchanges, reviewed, known, asked]
  },
}

/** A tenant, accounts that are bound in it, and tokens of theirs. */
async function fill({ lab }: Cluster): Promise<readonly string[]> {
  for (const namespace of ['shop', 'store']) await lab.createNamespace(namespace)
  const id = 'a'.repeat(16)
  const key = Buffer.alloc(32, 7).toString('base64')
  await lab.apply('secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'session-keys', namespace: 'store' },
    stringData: { active: id, [id]: key },
  })
  const gateway = { sessionKeysSecretRef: { name: 'session-keys' } }
  await lab.apply('tenants', resource('Tenant', 'store', 'main', { target: { gateway } }))
  const names = Array.from({ length: accounts }, (_, index) => `pod-${index}`)
  const tokens = names.map(async (name) => {
    await lab.createServiceAccount('shop', name)
    await lab.apply('policybindings', policyBinding('store', name, `shop/${name}`, ['readonly']))
    const made: string[] = []
    while (made.length < tokensOfEach) {
      // Two of the same second that last as long are one and the same token, as far as old API servers go.
      const expirationSeconds = 3600 + made.length
      made.push(await lab.createToken('shop', name, { expirationSeconds }))
    }
    return made
  })
  const all = (await Promise.all(tokens)).flat()
  if (new Set(all).size < all.length) throw new Error('two tokens are the same')
  return all
}

function contestOf({ certificates }: Cluster, tokens: readonly string[]): Scene['contest'] {
  const headers = [
    ['host', '127.0.0.1'],
    ['content-type', formType],
  ] as const
  const requests = tokens.map((token) =>
    planRequest({ method: 'POST', target: path, headers, body: Buffer.from(formOf(token)) }),
  )
  return { requests, connections, keptTls: { ca: certificates.pem('ca') } }
}

async function start(place: Workplace, { cluster }: Scene, settings: object): Promise<Operator> {
  const operator = await startOperator(place, cluster, settings)
  await untilReady(operator)
  return operator
}

async function startFloor(place: Workplace, scene: Scene, operator: Operator): Promise<Server> {
  const { cluster, tokens } = scene
  const answer = await copyAnswer(await exchangeOnce(operator, path, tokens[0] ?? ''))
  const { body } = await cluster.lab.ask('/openid/v1/jwks')
  const [jwk] = body['keys'] as WebIdentityFloor['jwk'][] // oxlint-disable-line typescript/no-unsafe-type-assertion -- RFC 7517
  if (jwk === undefined) throw new Error('the API server shows no key')
  const settings: WebIdentityFloor = { jwk, answer, tls: certificateFiles(cluster) }
  const file = place.file(JSON.stringify(settings))
  return place.serve([program('floors/web-identity.ts'), file], floorAddress)
}

/** In turn: bare reviews, and exchanges that each need one. */
async function compareWithReviews(
  place: Workplace,
  pace: Pace,
  { cluster: { lab }, tokens, contest }: Scene,
  operator: Operator,
): Promise<Figure> {
  const [cert, key] = ['admin.pem', 'admin.key'].map((name) => join(lab.dir, 'pki', name))
  const administrator = { url: lab.url, ca: lab.caFile, cert: cert ?? '', key: key ?? '' }
  const settings: TokenReviewFloor = { administrator, tokens, connections }
  const file = place.file(JSON.stringify(settings))
  const review = async (warmup: number, seconds: number): Promise<TokenReviewRates> => {
    const times = [warmup, seconds].map(String)
    const said = await place.run([program('measure/token-reviews.ts'), file, ...times])
    return JSON.parse(said) as TokenReviewRates // oxlint-disable-line typescript/no-unsafe-type-assertion -- printed by our own program
  }
  await load(
    place,
    { ...pace, warmupSeconds: 0, seconds: pace.firstWarmupSeconds },
    contest,
    operator,
  )
  const ours: Awaited<ReturnType<typeof load>>[] = []
  const floor: TokenReviewRates[] = []
  for (let round = 0; round < pace.rounds; round++) {
    floor.push(await review(pace.warmupSeconds, pace.seconds))
    ours.push(await load(place, pace, contest, operator))
  }
  return makeFigure({
    name: 'pod exchange, token reviewed each time',
    unit: 'requests/s',
    ours: median(ours.map(({ requestsPerSecond }) => requestsPerSecond)),
    floor: median(floor.map(({ reviewsPerSecond }) => reviewsPerSecond)),
    detail: {
      p50Milliseconds: median(ours.map(({ p50Milliseconds }) => p50Milliseconds)),
      p99Milliseconds: median(ours.map(({ p99Milliseconds }) => p99Milliseconds)),
      floorP50Milliseconds: median(floor.map(({ p50Milliseconds }) => p50Milliseconds)),
      floorP99Milliseconds: median(floor.map(({ p99Milliseconds }) => p99Milliseconds)),
    },
  })
}

/**
 * What the API server itself has counted during a load, less what its own controllers ask in the same time without any.
 * Leases are left out, and the status of a binding, which is written once a minute at most. The MinIO Operator asks seven
 * times or more.
 */
async function countCalls(
  place: Workplace,
  pace: Pace,
  { cluster, contest }: Scene,
  operator: Operator,
  name: string,
  most: number,
): Promise<Figure> {
  const idleFrom = performance.now()
  const first = await callsOf(cluster)
  await new Promise((resolve) => setTimeout(resolve, pace.seconds * 1000))
  const second = await callsOf(cluster)
  const idleTime = performance.now() - idleFrom
  const busyFrom = performance.now()
  const { requests } = await load(place, pace, contest, operator)
  const third = await callsOf(cluster)
  const idle = ((second.all - first.all) / idleTime) * (performance.now() - busyFrom)
  return makeFigure({
    name,
    unit: 'calls',
    ours: Math.max(0, third.all - second.all - idle) / requests,
    budget: { text: `≤ ${most}`, isMet: ({ ours }) => ours <= most + 0.02 },
    detail: { tokenReviewsPerExchange: (third.reviews - second.reviews) / requests, requests },
  })
}

async function callsOf({ lab }: Cluster): Promise<Readonly<{ all: number; reviews: number }>> {
  const { body } = await lab.ask('/metrics')
  let [all, reviews] = [0, 0]
  for (const line of String(body['text']).split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue
    const count = Number(line.slice(line.lastIndexOf(' ') + 1))
    if (!/verb="WATCH"|[,{]resource="(?:leases|endpoints)"|subresource="status"/.test(line))
      all += count
    if (line.includes('resource="tokenreviews"')) reviews += count
  }
  return { all, reviews }
}
