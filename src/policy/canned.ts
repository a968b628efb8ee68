import { parsePolicy } from './parse.ts'
import type { Policy } from './types.ts'

const everyS3 = 'arn:aws:s3:::*'
const version = '2012-10-17'

const documents: Readonly<Record<string, unknown>> = {
  // no listing, as its users know it
  readonly: {
    Version: version,
    Statement: [
      { Effect: 'Allow', Action: ['s3:GetBucketLocation', 's3:GetObject'], Resource: everyS3 },
    ],
  },
  writeonly: {
    Version: version,
    Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: everyS3 }],
  },
  readwrite: {
    Version: version,
    Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: everyS3 }],
  },
  diagnostics: {
    Version: version,
    Statement: [
      {
        Effect: 'Allow',
        Action: [
          'admin:Profiling',
          'admin:ServerTrace',
          'admin:ConsoleLog',
          'admin:ServerInfo',
          'admin:TopLocksInfo',
          'admin:OBDInfo',
          'admin:BandwidthMonitor',
          'admin:Prometheus',
        ],
        Resource: everyS3,
      },
    ],
  },
  consoleAdmin: {
    Version: version,
    Statement: [
      { Effect: 'Allow', Action: 'admin:*' },
      { Effect: 'Allow', Action: 'kms:*' },
      { Effect: 'Allow', Action: 's3:*', Resource: everyS3 },
    ],
  },
}

/** The policies that exist from the start, by name; the names are those that users of MinIO know. */
export const cannedPolicies: ReadonlyMap<string, Policy> = new Map(
  Object.entries(documents).map(([name, document]) => [
    name,
    parsePolicy(JSON.stringify(document), 'identity'),
  ]),
)
