import { z } from 'zod'

/**
 * The configuration file, one schema. Unknown keys are errors. Every default stands here with its reason, and
 * `docs/configuration.md` is generated from the descriptions.
 */

const name = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'has 1 to 64 letters, digits or characters of _.-')
const seconds = z.int().positive()

/** Secrets stand in the environment or in a file of their own, never in the configuration itself. */
const secretReference = z.union(
  [z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })],
  'is { env: VARIABLE } or { file: PATH }; a secret does not stand in this file itself',
)

/** `host:port` */
export const address = z
  .string()
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]*):\d{1,5}$/, 'is host:port, for example 127.0.0.1:9000')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) < 65_536, 'has no such port')

const tenantName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'is NAMESPACE/NAME, both of lower-case letters, digits and -',
  )

const openIdProvider = z
  .strictObject({
    name: name.describe('How this provider is called in principals, logs and ARNs.'),
    configUrl: z
      .url()
      .describe('Full URL of the discovery document (`…/.well-known/openid-configuration`).'),
    issuer: z
      .string()
      .min(1)
      .optional()
      .describe('The `iss` to demand; absent: the one that the discovery document names.'),
    clientId: z.string().min(1).describe('Must be in `aud`, or equal `azp`.'),
    audiences: z
      .array(z.string().min(1))
      .default([])
      .describe('Further audiences that are accepted.'),
    claimName: z.string().min(1).optional().describe('Claim with policy names; default `policy`.'),
    claimPath: z
      .boolean()
      .default(false)
      .describe(
        'Read dots in `claimName` as a path: `realm_access.roles`. A dot in a name is written `\\.`.',
      ),
    claimPrefix: z.string().default('').describe('Put before `claimName`.'),
    claimUserinfo: z.boolean().default(false).describe('Add the claims of the userinfo endpoint.'),
    rolePolicy: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Fixed policies: makes this a role provider, chosen by its role ARN.'),
    algorithms: z
      .array(
        z.enum([
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
        ]),
      )
      .min(1)
      .optional()
      .describe(
        'Signature algorithms to accept; default: all asymmetric ones. There are no others.',
      ),
    clockSkewSeconds: z
      .int()
      .min(0)
      .max(60)
      .default(5)
      .describe('How far its clock may be ahead (`nbf`, `iat`). `exp` has no tolerance.'),
    jwksCacheSeconds: z
      .int()
      .min(30)
      .max(86400)
      .default(600)
      .describe('Life of the cached key set.'),
    caFile: z
      .string()
      .min(1)
      .optional()
      .describe('PEM file with the CA of the provider, relative to the configuration file.'),
    oneTime: z
      .boolean()
      .default(false)
      .describe('Take each token once, by its `jti`; one without a `jti` is refused.'),
    insecureHttp: z
      .boolean()
      .default(false)
      .describe('Allow plain HTTP to a provider that is not on loopback.'),
  })
  .refine((provider) => !(provider.rolePolicy && provider.claimName), {
    message: 'has both rolePolicy and claimName; a provider maps by one of them',
    path: ['rolePolicy'],
  })

const accessKey = z.strictObject({
  accessKeyId: z.string().min(3),
  secretAccessKey: secretReference,
})

const user = z.strictObject({
  policies: z.array(z.string().min(1)).default([]).describe('Names of policies.'),
  accessKeys: z.array(accessKey).default([]),
  disabled: z.boolean().default(false),
})

const ldapDirectory = z.strictObject({
  name: name.describe('How this directory is called in principals and logs.'),
  servers: z
    .array(z.string().min(1))
    .optional()
    .describe(
      '`host[:port]`, tried in this order. Port 636; 389 with `startTls` or `insecurePlain`.',
    ),
  srvRecord: z
    .string()
    .min(1)
    .optional()
    .describe('Instead of `servers`: the name of SRV records, `_ldap._tcp.ad.example.org`.'),
  startTls: z.boolean().optional().describe('Plain text first, TLS before anything is said.'),
  insecurePlain: z.boolean().optional().describe('No TLS: passwords can be read on the way.'),
  insecureSkipVerify: z.boolean().optional().describe('Take every certificate of the directory.'),
  caFile: z.string().min(1).optional().describe('PEM file with the CA of the directory.'),
  tlsServerName: z
    .string()
    .min(1)
    .optional()
    .describe('The name in the certificates; default: the host.'),
  lookupBindDn: z.string().min(1).describe('The account that looks people up.'),
  lookupBindPassword: secretReference.optional(),
  userBaseDns: z.array(z.string().min(1)).min(1).describe('Where people are; none within another.'),
  userFilter: z.string().min(1).describe('Finds one person by login name `%s`: `(uid=%s)`.'),
  userAttributes: z
    .array(z.string().min(1))
    .optional()
    .describe('Further attributes, kept as claims.'),
  usernameAttribute: z
    .string()
    .min(1)
    .optional()
    .describe('Attribute for `ldap:username`; default: what the person typed.'),
  groupBaseDns: z.array(z.string().min(1)).optional().describe('Where groups are.'),
  groupFilter: z
    .string()
    .min(1)
    .optional()
    .describe('Finds the groups of the DN `%d` or the login name `%s`: `(member=%d)`.'),
  nestedGroups: z.boolean().optional().describe('Active Directory: count groups in groups.'),
  timeoutSeconds: z.int().min(1).max(60).optional().describe('For each operation; default 10.'),
  recheckSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe(
      'How often people with live sessions are looked up again; those who are gone lose them. Default 300.',
    ),
  recheckPerSecond: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe('How many of them in one second, at most; default 50.'),
  connections: z.int().min(1).max(64).optional().describe('Connections of each kind; default 8.'),
})

const certificateRule = z.strictObject({
  cn: z.string().min(1).optional().describe('Common name of the subject.'),
  dns: z.string().min(1).optional().describe('DNS alternative name; `*` stands within one label.'),
  uri: z
    .string()
    .min(1)
    .optional()
    .describe('URI alternative name, SPIFFE ids included; `*` stands within one path segment.'),
  issuerCn: z.string().min(1).optional().describe('Common name of the authority that issued it.'),
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('One of `caFiles`: the chain ends at an authority that stands in it.'),
  organization: z.string().min(1).optional(),
  ou: z.string().min(1).optional().describe('One of the organisational units.'),
  policies: z.array(z.string().min(1)).min(1).optional().describe('What it gives: these policies,'),
  role: z.string().min(1).optional().describe('or this role,'),
  policyFrom: z
    .literal('cn')
    .optional()
    .describe("or MinIO's rule: the policy called like the CN."),
})

const certificates = z
  .strictObject({
    name: name.optional().describe('How it is called in principals; default `tls`.'),
    caFiles: z
      .array(z.string().min(1))
      .default([])
      .describe('The only authorities trusted for clients.'),
    rules: z
      .array(certificateRule)
      .min(1)
      .describe('The first that fits says what a certificate may have.'),
    crlFiles: z.array(z.string().min(1)).optional().describe('Revocation lists, PEM or DER.'),
    crlScope: z
      .enum(['chain', 'leaf'])
      .optional()
      .describe('Which certificates a list must cover; default: the chain.'),
    insecureStaleCrl: z.boolean().optional().describe('Take lists that are out of date.'),
    insecureSkipVerify: z
      .boolean()
      .optional()
      .describe('Ask nobody who issued a certificate: anybody can make one.'),
    proxy: z
      .strictObject({
        addresses: z.array(z.string().min(1)).min(1),
        certificateHeader: z.string().min(1),
        chainHeader: z.string().min(1).optional(),
        format: z.enum(['pem', 'base64']),
        proofHeader: z.string().min(1),
        proof: secretReference,
      })
      .optional()
      .describe(
        'A proxy that ends TLS, says whose certificate it saw, and proves itself by a secret.',
      ),
  })
  .describe('Client certificates, for AssumeRoleWithCertificate.')

const customToken = z.strictObject({
  name: name.default('custom').describe('How it is called in principals and logs.'),
  url: z.url().describe('The webhook.'),
  authToken: secretReference.optional().describe('Sent as the `Authorization` header.'),
  rolePolicy: z.array(z.string().min(1)).min(1).describe('Policies of everybody whom it knows.'),
  roleId: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .optional()
    .describe('End of the role ARN.'),
  tokenIn: z
    .enum(['query', 'body'])
    .optional()
    .describe('`body` keeps tokens out of access logs; default: query, as MinIO sends it.'),
  timeoutMs: z.int().min(100).max(30_000).optional(),
  caFile: z.string().min(1).optional(),
  insecureHttp: z.boolean().optional(),
})

const policyDocument = z.union([
  z.strictObject({ file: z.string().min(1) }),
  z.record(z.string(), z.unknown()),
])

const role = z.strictObject({
  trustPolicy: policyDocument.describe('Who may take it: a document, or `file: trust.json`.'),
  policies: z.array(z.string().min(1)).default([]).describe('Names of policies.'),
  maxSessionSeconds: z.int().min(3600).max(43_200).default(3600),
  permissionsBoundary: z.string().min(1).optional().describe('Name of a policy.'),
  description: z.string().max(1000).optional(),
})

const group = z.strictObject({
  policies: z.array(z.string().min(1)).default([]).describe('Names of policies.'),
  members: z.array(z.string().min(1)).default([]).describe('Names of users.'),
})

export const configSchema = z.strictObject({
  address: address
    .default('127.0.0.1:9000')
    .describe(
      'S3, STS and IAM. An address that is not loopback needs `tls` or `insecurePlainHttp`.',
    ),
  operationsAddress: address
    .default('127.0.0.1:9002')
    .describe(
      '`/metrics`, `/live`, `/ready`; plain HTTP, so beyond loopback it needs `insecurePlainHttp`.',
    ),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'has 1 to 32 lower-case letters, digits or hyphens')
    .optional()
    .describe('Named in answers and in role ARNs; answers say us-east-1 when it is not set.'),
  regionPolicy: z
    .enum(['any', 'strict'])
    .default('any')
    .describe(
      '`strict`: a signature for another region is refused. The signature binds its region either way.',
    ),
  domains: z
    .array(z.string().regex(/^[a-z0-9.-]+$/))
    .default([])
    .describe(
      'Suffixes for virtual-host style: with `s3.example.test`, `b.s3.example.test` is bucket b.',
    ),
  tls: z
    .strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) })
    .optional()
    .describe(
      'PEM files, relative to the configuration file; read again when they change, without dropping connections.',
    ),
  insecurePlainHttp: z
    .boolean()
    .default(false)
    .describe('Allow plain HTTP on an address that is not loopback.'),
  trustedProxies: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
    .default([])
    .describe(
      'Peers whose `X-Forwarded-For` names the client. From anybody else it counts for nothing.',
    ),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  sts: z
    .strictObject({
      defaultDurationSeconds: seconds
        .min(900)
        .default(3600)
        .describe(
          'For keys, when the caller does not say; a token that comes without a wish is lived to its end.',
        ),
      maxDurationSeconds: seconds
        .min(900)
        .max(31_536_000)
        .default(43_200)
        .describe('Ceiling of every session; 12 hours as at AWS. MinIO allows 31536000.'),
      fixedDurationSeconds: seconds
        .min(900)
        .max(31_536_000)
        .optional()
        .describe(
          'Instead of what callers ask for, as `MINIO_STS_DURATION`; a token without a wish is lived to its end all the same.',
        ),
      maxSessionPolicyBytes: z.int().min(256).max(20_480).default(2048),
      errors: z
        .enum(['aws', 'minio'])
        .default('aws')
        .describe('`minio`: fold the finer AWS error codes into the ones that MinIO sends.'),
      insecureOutliveToken: z
        .boolean()
        .default(false)
        .describe('Let credentials live longer than the id token that proved them, as MinIO does.'),
    })
    .prefault({}),
  s3: z
    .strictObject({
      strictChunkSize: z
        .boolean()
        .default(false)
        .describe('Refuse signed chunks below 8 KiB as AWS does; JavaScript clients send such.'),
      policyCompat: z
        .enum(['aws', 'minio'])
        .default('aws')
        .describe(
          '`minio`: `s3:GetObject` and `s3:DeleteObject` count for versions, `s3:ListBucket` for lists of versions, and `arn:aws:s3:::b/*` for the bucket b itself.',
        ),
    })
    .prefault({}),
  limits: z
    .strictObject({
      anonymousPerSecond: z
        .number()
        .positive()
        .default(200)
        .describe('Unproven STS calls a second and source address, refilled continuously.'),
      anonymousBurst: z.int().positive().default(1000),
      anonymousInFlight: z
        .int()
        .positive()
        .default(512)
        .describe(
          'Unproven STS calls at the same time, from all sources together; one source has a quarter.',
        ),
    })
    .prefault({}),
  sharedSessionKeys: z
    .strictObject({
      dir: z
        .string()
        .min(1)
        .describe(
          'Folder with one file for each key (named by its id, 32 bytes in base64) and `active`; read again when it changes.',
        ),
      tenantName: tenantName.describe(
        'What the operator calls this server, `NAMESPACE/NAME`: sessions of other tenants do not open.',
      ),
    })
    .optional()
    .describe(
      'Keys shared with a `daypass operator`: its sessions of Kubernetes service accounts are honoured here.',
    ),
  openid: z.array(openIdProvider).default([]).describe('OpenID Connect providers.'),
  iamProviders: z
    .strictObject({
      caFile: z
        .string()
        .min(1)
        .optional()
        .describe(
          'PEM file with the only CAs to trust for them, relative to the configuration file; absent: those of the system.',
        ),
    })
    .prefault({})
    .describe('OpenID Connect providers made through the IAM API.'),
  ldap: z.array(ldapDirectory).default([]).describe('LDAP directories and Active Directory.'),
  certificates: certificates.optional(),
  customTokens: z
    .array(customToken)
    .default([])
    .describe("MinIO's identity plugin, for AssumeRoleWithCustomToken."),
  policies: z
    .record(z.string(), policyDocument)
    .default({})
    .describe('Named policies: a document, or `file: policy.json`.'),
  ceiling: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Names of policies beyond which nobody may go but the root key.'),
  roles: z.record(z.string(), role).default({}).describe('Roles with trust policies.'),
  groups: z.record(z.string(), group).default({}).describe('Groups of users.'),
  users: z.record(z.string(), user).default({}).describe('Users with long-lived keys.'),
})

export type ConfigFile = z.infer<typeof configSchema>
export type OpenIdProviderConfig = ConfigFile['openid'][number]
export type SecretReference = z.infer<typeof secretReference>
export type LdapConfig = ConfigFile['ldap'][number]
