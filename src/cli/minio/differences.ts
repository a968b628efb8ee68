/**
 * Where a document allows less here than at MinIO, although it is the same. It does not stay behind for that, but clients may
 * notice.
 */
export function differences(text: string): readonly string[] {
  const document: unknown = JSON.parse(text)
  const allowing = listOf(document, 'Statement').filter(
    (statement) => listOf(statement, 'Effect')[0] === 'Allow',
  )
  const buckets = allowing.flatMap((statement) => strings(statement, 'Resource'))
  return [
    ...allowing.flatMap((statement) => onlyObjects(statement, buckets)),
    ...(allowing.some(isEverything) ? [everything] : []),
  ]
}

const everything =
  'its action "*" makes MinIO pass over the Resource; here it allows what the Resource says'

function isEverything(statement: unknown): boolean {
  const resources = strings(statement, 'Resource')
  return strings(statement, 'Action').includes('*') && resources.some((each) => each !== '*')
}

const bucketActions = ['s3:ListBucket', 's3:GetBucketLocation', 's3:ListBucketMultipartUploads']

/** MinIO takes `b/*` for the bucket as well. */
function onlyObjects(statement: unknown, allowed: readonly string[]): readonly string[] {
  const wanted = strings(statement, 'Action').some((action) =>
    bucketActions.some((each) => matches(action.toLowerCase(), each.toLowerCase())),
  )
  if (!wanted) return []
  return strings(statement, 'Resource').flatMap((resource) => {
    const bucket = /^(arn:aws:s3:::[^/]+)\/\*$/.exec(resource)?.[1]
    if (bucket === undefined || allowed.some((each) => matches(each, bucket))) return []
    return [
      `"${resource}" covers the bucket itself at MinIO, listing included; here that takes "${bucket}" besides`,
    ]
  })
}

/** As far as policies are written by people: `*` at the end, or nowhere. */
function matches(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text
}

function strings(statement: unknown, member: string): readonly string[] {
  return listOf(statement, member).filter((each) => typeof each === 'string')
}

/** One or a list of them. */
function listOf(value: unknown, member: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const found: unknown = Object.getOwnPropertyDescriptor(value, member)?.value
  return found === undefined ? [] : [found].flat()
}
