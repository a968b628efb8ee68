import { dirname, resolve } from 'node:path'
import { messageOf, readSettings } from './load.ts'
import { operatorSchema, type OperatorFile } from './operator-schema.ts'
import { ConfigError, type Problem } from './problem.ts'
import { isLoopback } from './whole.ts'

export type OperatorConfig = Readonly<
  OperatorFile & { enabled: boolean; notices: readonly string[] }
>

export type OperatorConfigSource = Readonly<{
  env: Readonly<Record<string, string | undefined>>
  file?: string | undefined
  /** From the command line: beats file and environment. */
  overrides?: Readonly<
    Partial<Pick<OperatorFile, 'address' | 'operationsAddress' | 'kubeconfig' | 'context'>>
  >
}>

/**
 * The file, then the variables that the MinIO Operator knows (operator.min.io documentation, environment), which beat
 * it, then the command line. @throws ConfigError with every problem that was found
 */
export function loadOperatorConfig({ env, file, overrides }: OperatorConfigSource): OperatorConfig {
  const problems: Problem[] = []
  const document = file === undefined ? {} : readSettings(file, problems)
  const merged = { ...document, ...fromEnvironment(env, document), ...overrides }
  const parsed = operatorSchema.safeParse(merged)
  if (!parsed.success) {
    problems.push(
      ...parsed.error.issues.map((issue) => ({
        path: issue.path.map(String).join('.'),
        message: messageOf(issue),
      })),
    )
    throw new ConfigError(problems)
  }
  const notices = checkWhole(parsed.data, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  const base = file === undefined ? process.cwd() : dirname(resolve(file))
  const enabled = isOn(env['OPERATOR_STS_ENABLED'])
  return Object.freeze({ ...withPaths(parsed.data, base), enabled, notices })
}

function fromEnvironment(
  env: OperatorConfigSource['env'],
  document: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { CLUSTER_DOMAIN, WATCHED_NAMESPACE, POD_NAMESPACE, MINIO_OPERATOR_CSR_SIGNER_NAME } = env
  const watched = (WATCHED_NAMESPACE ?? '').split(',').map((name) => name.trim())
  const auto = certificateOf(env, document, MINIO_OPERATOR_CSR_SIGNER_NAME)
  return {
    ...(CLUSTER_DOMAIN && { clusterDomain: CLUSTER_DOMAIN }),
    ...(watched.some((name) => name !== '') && {
      watchedNamespaces: watched.filter((name) => name !== ''),
    }),
    ...(POD_NAMESPACE && document['namespace'] === undefined && { namespace: POD_NAMESPACE }),
    ...(auto && { certificate: auto }),
  }
}

/** `OPERATOR_STS_AUTO_TLS_ENABLED` other than `on`: the Secret `sts-tls` is somebody else's to keep. */
function certificateOf(
  env: OperatorConfigSource['env'],
  document: Readonly<Record<string, unknown>>,
  signerName: string | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (!isOn(env['OPERATOR_STS_AUTO_TLS_ENABLED'])) return { mode: 'secret' }
  if (!signerName) return undefined
  const present = document['certificate']
  if (typeof present !== 'object' || present === null) return { mode: 'auto', signerName }
  const isAuto = 'mode' in present && present.mode === 'auto'
  return isAuto ? { ...present, signerName } : undefined
}

/** As the MinIO Operator reads it: on when unset, and otherwise only by this one word. */
function isOn(value: string | undefined): boolean {
  return value === undefined || value === 'on'
}

function checkWhole(config: OperatorFile, problems: Problem[]): readonly string[] {
  const names = [config.clusterName, ...config.clusters.map(({ name }) => name)]
  for (const [index, { name }] of config.clusters.entries()) {
    if (names.indexOf(name) === index + 1) continue
    problems.push({
      path: `clusters.${index}.name`,
      message: `"${name}" is the name of two clusters`,
    })
  }
  const notices: string[] = []
  const { operationsAddress, insecurePlainHttp, features } = config
  if (!isLoopback(operationsAddress) && !insecurePlainHttp) {
    problems.push({
      path: 'operationsAddress',
      message: `${operationsAddress} is reachable from outside, and speaks plain HTTP only; stay on loopback, or set insecurePlainHttp: true`,
    })
  }
  if (features.insecureHttpTenants) {
    notices.push('features.insecureHttpTenants: credentials travel to tenants in plain text')
  }
  return notices
}

/** Files are named relative to the configuration file, whatever the working directory is. */
function withPaths(config: OperatorFile, base: string): OperatorFile {
  const at = (path: string | undefined) => (path === undefined ? undefined : resolve(base, path))
  const { certificate } = config
  return {
    ...config,
    kubeconfig: at(config.kubeconfig),
    auditDir: at(config.auditDir),
    certificate:
      certificate.mode === 'files'
        ? {
            ...certificate,
            certFile: resolve(base, certificate.certFile),
            keyFile: resolve(base, certificate.keyFile),
          }
        : certificate,
    clusters: config.clusters.map((cluster) => ({
      ...cluster,
      kubeconfig: at(cluster.kubeconfig),
      caFile: at(cluster.caFile),
    })),
  }
}
