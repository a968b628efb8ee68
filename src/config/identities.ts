import { resolve } from 'node:path'
import type {
  CertificateProxy,
  CertificateSettings,
  CustomTokenSettings,
  LdapDirectory,
} from '../identity/index.ts'
import { attempts, readSecret } from './overlay.ts'
import type { Place } from './overlay.ts'
import type { Problem } from './problem.ts'
import type { ConfigFile } from './schema.ts'

/** The ways in beside OpenID, with their secrets read and their files named from the configuration's place. */
export type Identities = Readonly<{
  ldap: readonly LdapDirectory[]
  certificates?: CertificateSettings & Readonly<{ proxy?: CertificateProxy }>
  customTokens: readonly CustomTokenSettings[]
}>

export function readIdentities(config: ConfigFile, place: Place, problems: Problem[]): Identities {
  const attempt = attempts(problems)
  const ldap = config.ldap.flatMap((directory, index) =>
    attempt(`ldap.${index}`, () => readDirectory(directory, place)),
  )
  const customTokens = config.customTokens.flatMap((plugin, index) =>
    attempt(`customTokens.${index}`, () => readPlugin(plugin, config.region, place)),
  )
  const [certificates] = config.certificates
    ? attempt('certificates', () => readCertificates(config.certificates, place))
    : []
  return { ldap, customTokens, ...(certificates ? { certificates } : {}) }
}

function readDirectory(directory: ConfigFile['ldap'][number], place: Place): LdapDirectory {
  const { lookupBindPassword, caFile, ...rest } = directory
  return {
    ...rest,
    ...(caFile === undefined ? {} : { caFile: resolve(place.base, caFile) }),
    ...(lookupBindPassword ? { lookupBindPassword: readSecret(lookupBindPassword, place) } : {}),
  }
}

function readPlugin(
  plugin: ConfigFile['customTokens'][number],
  region: string | undefined,
  place: Place,
): CustomTokenSettings {
  const { authToken, caFile, ...rest } = plugin
  return {
    ...rest,
    region,
    ...(caFile === undefined ? {} : { caFile: resolve(place.base, caFile) }),
    ...(authToken ? { authToken: readSecret(authToken, place) } : {}),
  }
}

function readCertificates(
  certificates: ConfigFile['certificates'],
  place: Place,
): NonNullable<Identities['certificates']> {
  if (certificates === undefined) throw new Error('is not there')
  const { proxy, caFiles, crlFiles, rules, ...rest } = certificates
  const local = (file: string): string => resolve(place.base, file)
  const placed = rules.map(({ caFile, ...rule }) => ({
    ...rule,
    ...(caFile === undefined ? {} : { caFile: local(caFile) }),
  }))
  return {
    ...rest,
    caFiles: caFiles.map(local),
    ...(crlFiles ? { crlFiles: crlFiles.map(local) } : {}),
    // The verifier refuses a rule that does not award exactly one thing, and says which.
    rules: placed as CertificateSettings['rules'], // oxlint-disable-line typescript/no-unsafe-type-assertion -- see above
    ...(proxy ? { proxy: { ...proxy, proof: readSecret(proxy.proof, place) } } : {}),
  }
}
