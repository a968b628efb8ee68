import type { Problem } from './problem.ts'
import type { ConfigFile } from './schema.ts'

/** Rules that span several settings. Adds to `problems`; returns what should be said at start-up. */
export function checkWhole(config: ConfigFile, problems: Problem[]): readonly string[] {
  checkProviders(config, problems)
  if (config.sts.defaultDurationSeconds > config.sts.maxDurationSeconds) {
    problems.push({
      path: 'sts.defaultDurationSeconds',
      message: 'is greater than sts.maxDurationSeconds',
    })
  }
  if ((config.sts.fixedDurationSeconds ?? 0) > config.sts.maxDurationSeconds) {
    problems.push({
      path: 'sts.fixedDurationSeconds',
      message: 'is greater than sts.maxDurationSeconds',
    })
  }
  checkNames(config, problems)
  checkCertificates(config, problems)
  const notices: string[] = []
  noteInsecureWays(config, notices)
  for (const path of ['address', 'operationsAddress'] as const) {
    if (path === 'address' && config.tls) continue
    if (isLoopback(config[path])) continue
    if (!config.insecurePlainHttp) {
      problems.push({
        path,
        message:
          path === 'address'
            ? `${config[path]} is reachable from outside; set tls, or insecurePlainHttp: true behind a proxy that does TLS`
            : `${config[path]} is reachable from outside, and speaks plain HTTP only; stay on loopback, or set insecurePlainHttp: true`,
      })
    } else
      notices.push(`insecurePlainHttp: ${path} ${config[path]} speaks plain HTTP to the outside`)
  }
  if (config.sts.insecureOutliveToken) {
    notices.push(
      'sts.insecureOutliveToken: credentials may live longer than the id token behind them',
    )
  }
  for (const provider of config.openid) {
    const url = new URL(provider.configUrl)
    if (url.protocol === 'http:' && !isLoopback(`${url.hostname}:80`)) {
      notices.push(
        `openid ${provider.name} is asked over plain HTTP: whoever is on the way can forge identities`,
      )
    }
  }
  return notices
}

/** Trust policies and `aws:userid` go by these names, so one name must not stand for two kinds of proof. */
function checkNames(config: ConfigFile, problems: Problem[]): void {
  const { openid, ldap, certificates, customTokens } = config
  const named = [
    ...openid.map(({ name }, index) => [name, `openid.${index}.name`] as const),
    ...ldap.map(({ name }, index) => [name, `ldap.${index}.name`] as const),
    ...customTokens.map(({ name }, index) => [name, `customTokens.${index}.name`] as const),
    ...(certificates ? [[certificates.name ?? 'tls', 'certificates.name'] as const] : []),
  ]
  const seen = new Set<string>()
  for (const [name, path] of named) {
    if (seen.has(name)) problems.push({ path, message: `"${name}" is the name of two providers` })
    seen.add(name)
  }
}

function checkCertificates({ certificates, tls }: ConfigFile, problems: Problem[]): void {
  if (certificates === undefined) return
  if (certificates.caFiles.length === 0 && certificates.insecureSkipVerify !== true) {
    problems.push({
      path: 'certificates.caFiles',
      message:
        'names no authority, so no client certificate would do; the system’s are never trusted',
    })
  }
  if (tls === undefined && certificates.proxy === undefined) {
    problems.push({
      path: 'certificates',
      message: 'needs tls, or a proxy that passes client certificates on',
    })
  }
}

function noteInsecureWays(
  { ldap, certificates, customTokens }: ConfigFile,
  notices: string[],
): void {
  for (const { name, insecurePlain, startTls, insecureSkipVerify } of ldap) {
    if (insecurePlain === true && startTls !== true) {
      notices.push(`ldap ${name}: insecurePlain, so passwords travel in plain text`)
    }
    if (insecureSkipVerify === true) notices.push(`ldap ${name}: any server can be the directory`)
  }
  if (certificates?.insecureSkipVerify === true) {
    notices.push('certificates: insecureSkipVerify, so anybody can make one')
  }
  if (certificates?.insecureStaleCrl === true) {
    notices.push('certificates: insecureStaleCrl, so what was revoked lately is let in')
  }
  for (const { name, insecureHttp } of customTokens) {
    if (insecureHttp === true) notices.push(`customTokens ${name}: asked over plain HTTP`)
  }
}

function checkProviders(config: ConfigFile, problems: Problem[]): void {
  const clientIds = new Set<string>()
  for (const [index, provider] of config.openid.entries()) {
    const path = `openid.${index}`
    // `aws:userid` is `provider:subject`, and the sessions of users are those of provider `internal`.
    if (provider.name === 'internal') {
      problems.push({
        path: `${path}.name`,
        message: 'is what users and root go by; choose another',
      })
    }
    // Role ARNs are made from the client id alone, so two role providers with one id could not be told apart.
    if (provider.rolePolicy && clientIds.has(provider.clientId)) {
      problems.push({ path: `${path}.clientId`, message: 'is the client id of two role providers' })
    }
    if (provider.rolePolicy) clientIds.add(provider.clientId)
    const url = new URL(provider.configUrl)
    if (url.protocol === 'http:' && !provider.insecureHttp && !isLoopback(`${url.hostname}:80`)) {
      problems.push({
        path: `${path}.configUrl`,
        message: 'is plain HTTP: use https, or set insecureHttp: true and accept forged identities',
      })
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      problems.push({ path: `${path}.configUrl`, message: 'is neither https nor http' })
    }
  }
}

/** Of `host:port`. An empty host listens everywhere. */
export function isLoopback(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
