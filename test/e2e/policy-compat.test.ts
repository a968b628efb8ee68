import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { SimulatePrincipalPolicyCommand, IAMClient } from '@aws-sdk/client-iam'
import { startDaypass, type DaypassServer } from './daypass-server.ts'
import { refusalOf, s3Client } from './keys.ts'

const policy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::photos/*' }],
})
const carol = { accessKeyId: 'carol-key', secretAccessKey: 'a-secret-of-carol-12345' }
const people = `
policies: { photos: ${policy} }
users:
  carol:
    policies: [photos]
    accessKeys: [{ accessKeyId: ${carol.accessKeyId}, secretAccessKey: { env: CAROL } }]
`

describe('a policy written for MinIO, whose b/* means the bucket too', () => {
  const servers: DaypassServer[] = []
  after(async () => {
    for (const server of servers) await server.stop()
  })

  async function start(setting: string): Promise<DaypassServer> {
    const env = { CAROL: carol.secretAccessKey }
    const server = await startDaypass({ config: `${people}${setting}`, env })
    servers.push(server)
    for (const Bucket of ['photos', 'photos-of-others']) {
      await s3Client(server.endpoint, server.root).send(new CreateBucketCommand({ Bucket }))
    }
    return server
  }

  const list = (server: DaypassServer, Bucket: string) =>
    s3Client(server.endpoint, carol).send(new ListObjectsV2Command({ Bucket }))

  const simulated = async (server: DaypassServer) => {
    const { endpoint, root } = server
    const iam = new IAMClient({ endpoint, region: 'us-east-1', credentials: root })
    const { EvaluationResults } = await iam.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: 'arn:aws:iam::000000000000:user/carol',
        ActionNames: ['s3:ListBucket'],
        ResourceArns: ['arn:aws:s3:::photos'],
      }),
    )
    return EvaluationResults?.[0]?.EvalDecision
  }

  it('does not, as at AWS, unless that is asked for', async () => {
    const server = await start('')
    const put = new PutObjectCommand({ Bucket: 'photos', Key: 'k', Body: 'x' })
    await s3Client(server.endpoint, carol).send(put)
    assert.equal((await refusalOf(list(server, 'photos'))).code, 'AccessDenied')
    assert.equal(await simulated(server), 'implicitDeny')
  })

  it('does with s3.policyCompat: minio, for this bucket and no other one', async () => {
    const server = await start('s3: { policyCompat: minio }\n')
    assert.equal((await list(server, 'photos')).$metadata.httpStatusCode, 200)
    assert.equal((await refusalOf(list(server, 'photos-of-others'))).code, 'AccessDenied')
    assert.equal(await simulated(server), 'allowed')
  })
})
