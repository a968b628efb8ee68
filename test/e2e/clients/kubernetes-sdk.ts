/** What a pod with the AWS SDK for JavaScript does, with nothing but its environment. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { fromHttp, fromTokenFile } from '@aws-sdk/credential-providers'

const { env } = process
const tokenFile = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'] ?? ''

/** The default chain unless the test asks for something in particular. */
function provider() {
  const way = env['WAY'] ?? ''
  if (way === 'fromTokenFile') {
    return { credentials: fromTokenFile({ clientConfig: { region: 'us-east-1' } }) }
  }
  if (!way.startsWith('fromHttp')) return {}
  return {
    credentials: fromHttp({
      awsContainerCredentialsFullUri: env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? '',
      awsContainerAuthorizationTokenFile: tokenFile,
    }),
  }
}

const client = new S3Client({ forcePathStyle: true, maxAttempts: 1, ...provider() })
const Bucket = env['BUCKET']
const answer = await client.send(new GetObjectCommand({ Bucket, Key: 'hello' }))
const body = await answer.Body?.transformToString()
const put = await client.send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'x' })).then(
  () => 'allowed',
  (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
)
process.stdout.write(JSON.stringify({ body, put }))
