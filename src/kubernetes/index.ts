/**
 * The face to Kubernetes: reads tenants, bindings and policies from a cluster and keeps them at hand, asks it about
 * tokens and keys. Takes an API server, gives the directories and ports that the core declares. Decides nothing.
 */
export { openClusterApi, ApiError } from './api.ts'
export type { ClusterAccess, ClusterApi } from './api.ts'
export { openServingCertificate } from './certificates/serving-certificate.ts'
export type { ServingCertificate } from './certificates/serving-certificate.ts'
export { openCluster } from './cluster.ts'
export type { Cluster, ClusterOptions } from './cluster.ts'
export { ClusterDirectory } from './directory.ts'
export type { DirectoryOptions, ResourceChange } from './directory.ts'
export type { BindingChange } from './binding-change.ts'
export { openLease } from './lease.ts'
export type { Lease } from './lease.ts'
export { openStatusWriter } from './status.ts'
export type { StatusWriter } from './status.ts'
export { createMinioAuthorities } from './minio-authorities.ts'
export { createReach } from './reach.ts'
export { createKeyReader } from './secrets.ts'
export type { KeyReader } from './secrets.ts'
export { createIssuerFetch, createTokenReviewer } from './token-review.ts'
