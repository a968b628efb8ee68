/**
 * A policy whose last statement allows what the bench asks for. All statements before it fit the question in action
 * and resource, and fail by a condition alone, so that a judgement has to look at every one of them.
 */
export function policyDocument(statements: number): object {
  const before = Array.from({ length: statements - 1 }, (_, index) => ({
    Sid: `Rule${index}`,
    Effect: index % 4 === 0 ? 'Deny' : 'Allow',
    Action: index % 2 === 0 ? ['s3:Put*', 's3:Get*'] : 's3:*',
    Resource: ['arn:aws:s3:::other/*', 'arn:aws:s3:::bench/*'],
    Condition: failing[index % failing.length],
  }))
  const last = {
    Sid: 'Bench',
    Effect: 'Allow',
    Action: ['s3:GetObject', 's3:PutObject', 's3:ListBucket'],
    Resource: ['arn:aws:s3:::bench', 'arn:aws:s3:::bench/*'],
    Condition: { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '127.0.0.0/8'] } },
  }
  return { Version: '2012-10-17', Statement: [...before, last] }
}

/** None of them holds for a request of the bench. */
const failing: readonly object[] = [
  { IpAddress: { 'aws:SourceIp': ['192.168.0.0/16', '203.0.113.0/24'] } },
  { StringLike: { 'aws:UserAgent': ['*curl*', 'backup/*'] } },
  { DateLessThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } },
  { StringEquals: { 'aws:username': ['alice', 'bob'] }, Bool: { 'aws:SecureTransport': 'true' } },
  { StringEquals: { 'aws:PrincipalTag/team': ['red', 'blue'] } },
  { NumericLessThan: { 'aws:EpochTime': '1500000000' } },
]
