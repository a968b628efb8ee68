import type { Secret } from '../secret.ts'

/** How the credentials of one tenant are made. */
export type Target = GatewayTarget | AssumeRoleTarget

/** A tenant whose every S3 face is ours: sessions are sealed here under keys that both hold. */
export type GatewayTarget = Readonly<{
  kind: 'gateway'
  /** For messages: `NAMESPACE/NAME`. */
  tenant: string
  /** Documents of named policies that are kept outside the tenant, such as `daypass.dev/v1 Policy` resources. Empty: one that is not valid. */
  findPolicy(name: string): string | undefined
  /** Whether names that are not found there are looked up by the tenant's servers, at each use. */
  asksTenant: boolean
  /** Asked at each use; whoever answers may remember it. Rejects when the keys cannot be had. */
  sessionKeys(): Promise<SharedSessionKeys>
}>

/** Keys that the operator and a tenant's servers share (a Kubernetes Secret). */
export type SharedSessionKeys = Readonly<{
  /** Id of the key that seals; one of `keys`. */
  active: string
  /** By id (16 of `a-z2-7`): 32 bytes each. */
  keys: ReadonlyMap<string, Buffer>
}>

/** A tenant of any kind with an STS of its own, which we ask for credentials that one inline policy narrows. */
export type AssumeRoleTarget = Readonly<{
  kind: 'assume-role'
  /** For messages: `NAMESPACE/NAME`. */
  tenant: string
  /** `https://minio.shop.svc.cluster.local`, without a path. */
  endpoint: string
  /** Whose grammar the inline policy has to keep to. */
  dialect: 'minio' | 'aws'
  /** For the signature. Absent: asked of a MinIO server once, else `us-east-1`. */
  region?: string | undefined
  /** PEM: the authorities to trust beside those of the system. Asked at each use, like `credentials`. */
  ca(): Promise<string | undefined>
  /** Lets credentials travel over plain http beyond loopback. */
  insecureHttp?: boolean | undefined
  /** The role to take there. Absent: AssumeRole on the caller itself, as MinIO has it. */
  roleArn?: string | undefined
  /** Most bytes of the inline policy: 2048 for MinIO and AWS. */
  maxPolicyBytes: number
  /** Those of the broker. Asked at each use; whoever answers may remember it. Rejects when they cannot be had. */
  credentials(): Promise<BrokerCredentials>
  /** Documents of named policies that are kept outside the tenant, such as `daypass.dev/v1 Policy` resources. Empty: one that is not valid. */
  findPolicy(name: string): string | undefined
  /** Whether names that are not found there are asked of the tenant itself (MinIO's `info-canned-policy`). */
  asksTenant: boolean
  /** `skip` leaves out a policy that does not exist, and with it whatever it would have denied. */
  missingPolicy: 'fail' | 'skip'
}>

export type BrokerCredentials = Readonly<{
  accessKeyId: string
  secretAccessKey: Secret
  sessionToken?: Secret | undefined
}>
