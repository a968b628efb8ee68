import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What the rooms report as it happens. Neither throws nor waits. */
export type Metrics = Readonly<{
  /** `outcome`: `issued`, or the code of the refusal. */
  exchange(action: string, outcome: string, seconds: number): void
  request(
    face: 's3' | 'sts' | 'iam' | 'tenant-sts' | 'webhook',
    operation: string,
    status: number,
    seconds: number,
  ): void
  denial(kind: string): void
  fault(): void
  render(): Promise<Readonly<{ contentType: string; text: string }>>
}>

/** Asked when somebody looks. */
export type MetricSources = Readonly<{
  signingKeys(): readonly Readonly<{ status: string }>[]
  revocations(): number
  revocationsFresh(): boolean
  providers(): readonly Readonly<{ provider: string; ready: boolean }>[]
  /** OpenID providers made through the IAM API. */
  registeredProviders(): number
}>

/** Asked when somebody looks. */
export type OperatorMetricSources = Readonly<{
  resources(): Readonly<Record<string, number>>
  providers(): readonly Readonly<{ provider: string; ready: boolean }>[]
  watches(): readonly Readonly<{ kind: string; synced: boolean; breaks: number }>[]
  isFresh(): boolean
  isLeader(): boolean
  /** What gateway tenants were asked to end; `pending`: what they have not confirmed. */
  sessionEnds(): Readonly<{ pending: number; ended: number; failed: number }>
  /** Seconds since 1970. */
  certificateExpiry(): number
}>

const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Of a server. */
export function createMetrics(sources: MetricSources): Metrics {
  return metricsWith((registers) => addServerGauges(registers, sources))
}

/** Of an operator. */
export function createOperatorMetrics(sources: OperatorMetricSources): Metrics {
  return metricsWith((registers) => addOperatorGauges(registers, sources))
}

function metricsWith(addGauges: (registers: Registry[]) => void): Metrics {
  const registry = new Registry()
  const registers = [registry]
  addGauges(registers)
  const exchanges = new Counter({
    name: 'daypass_exchanges_total',
    help: 'Exchanges of evidence for credentials.',
    labelNames: ['action', 'outcome'],
    registers,
  })
  const exchangeSeconds = new Histogram({
    name: 'daypass_exchange_duration_seconds',
    help: 'Time from evidence to credentials, the durable audit record included.',
    labelNames: ['action'],
    buckets,
    registers,
  })
  const requests = new Counter({
    name: 'daypass_requests_total',
    help: 'Requests answered.',
    labelNames: ['face', 'operation', 'status'],
    registers,
  })
  const requestSeconds = new Histogram({
    name: 'daypass_request_duration_seconds',
    help: 'Time to the first byte of the answer.',
    labelNames: ['face'],
    buckets,
    registers,
  })
  const denials = new Counter({
    name: 'daypass_policy_denials_total',
    help: 'Requests that policy refused.',
    labelNames: ['principal'],
    registers,
  })
  const faults = new Counter({
    name: 'daypass_faults_total',
    help: 'Requests that failed by a fault of ours; the log has each.',
    registers,
  })
  plainGauge(registers, 'process_resident_memory_bytes', 'Resident set.', () =>
    process.memoryUsage.rss(),
  )
  plainGauge(registers, 'process_uptime_seconds', 'Time since the start.', () => process.uptime())

  return {
    exchange(action, outcome, seconds) {
      exchanges.inc({ action, outcome })
      exchangeSeconds.observe({ action }, seconds)
    },
    request(face, operation, status, seconds) {
      requests.inc({ face, operation, status: String(status) })
      requestSeconds.observe({ face }, seconds)
    },
    denial: (principal) => denials.inc({ principal }),
    fault: () => faults.inc(),
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

function addServerGauges(registers: Registry[], sources: MetricSources): void {
  gauge(registers, 'daypass_signing_keys', 'Keys of the ring.', 'status', (set) => {
    for (const status of ['next', 'active', 'retiring']) set(status, 0)
    for (const [status, count] of countBy(sources.signingKeys(), (key) => key.status)) {
      set(status, count)
    }
  })
  gauge(
    registers,
    'daypass_provider_ready',
    '1: tokens of the provider can be verified.',
    'provider',
    (set) => {
      for (const { provider, ready } of sources.providers()) set(provider, ready ? 1 : 0)
    },
  )
  plainGauge(
    registers,
    'daypass_iam_providers',
    'OpenID providers made through the IAM API; daypass_provider_ready has those that were asked for their keys.',
    sources.registeredProviders,
  )
  plainGauge(registers, 'daypass_revocations', 'Revocation rules in force.', sources.revocations)
  plainGauge(
    registers,
    'daypass_revocations_fresh',
    '1: revocations are followed without a gap; 0: temporary credentials are refused.',
    () => (sources.revocationsFresh() ? 1 : 0),
  )
}

function addOperatorGauges(registers: Registry[], sources: OperatorMetricSources): void {
  gauge(registers, 'daypass_resources', 'Resources that count, by kind.', 'kind', (set) => {
    for (const [kind, count] of Object.entries(sources.resources())) set(kind, count)
  })
  gauge(
    registers,
    'daypass_provider_ready',
    '1: tokens of the cluster can be verified.',
    'provider',
    (set) => {
      for (const { provider, ready } of sources.providers()) set(provider, ready ? 1 : 0)
    },
  )
  gauge(
    registers,
    'daypass_watch_synced',
    '1: all of the kind has been seen; 0: not yet.',
    'kind',
    (set) => {
      for (const { kind, synced } of sources.watches()) set(kind, synced ? 1 : 0)
    },
  )
  gauge(
    registers,
    'daypass_watch_breaks',
    'How often the watch of a kind broke.',
    'kind',
    (set) => {
      for (const { kind, breaks } of sources.watches()) set(kind, breaks)
    },
  )
  plainGauge(registers, 'daypass_cluster_fresh', '1: what is known of the cluster counts.', () =>
    sources.isFresh() ? 1 : 0,
  )
  plainGauge(registers, 'daypass_leader', '1: this replica writes status and certificates.', () =>
    sources.isLeader() ? 1 : 0,
  )
  gauge(
    registers,
    'daypass_session_ends',
    'Ends of sessions asked of gateway tenants: pending now; ended and failed since the start.',
    'state',
    (set) => {
      for (const [state, count] of Object.entries(sources.sessionEnds())) set(state, count)
    },
  )
  plainGauge(
    registers,
    'daypass_certificate_expiry_seconds',
    'When the certificate of the STS ends, in seconds since 1970; 0: there is none.',
    sources.certificateExpiry,
  )
}

function gauge(
  registers: Registry[],
  name: string,
  help: string,
  label: string,
  read: (set: (value: string, count: number) => void) => void,
): void {
  const made = new Gauge({
    name,
    help,
    labelNames: [label],
    registers,
    collect() {
      this.reset()
      read((value, count) => this.set({ [label]: value }, count))
    },
  })
  made.reset()
}

function plainGauge(registers: Registry[], name: string, help: string, read: () => number): void {
  const made = new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read())
    },
  })
  made.set(0)
}

function countBy<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1)
  return counts
}
