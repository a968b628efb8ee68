/**
 * The configuration: one YAML file and the environment, one schema, one frozen value.
 * Nobody else reads the environment. Gives all problems at once, each with its path.
 */
export { loadConfig } from './load.ts'
export type { Config, ConfigSource, RootKey } from './load.ts'
export { loadOperatorConfig } from './operator.ts'
export type { OperatorConfig, OperatorConfigSource } from './operator.ts'
export { operatorSchema } from './operator-schema.ts'
export { missingNames } from './missing-names.ts'
export { ConfigError } from './problem.ts'
export type { Problem } from './problem.ts'
export { configSchema } from './schema.ts'
export type { OpenIdProviderConfig } from './schema.ts'
export { loadRootCredentials, readRootCredentials } from './root-credentials.ts'
export type { RootCredentials } from './root-credentials.ts'
