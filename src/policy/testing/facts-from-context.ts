import type { AwsFacts, Facts, S3Facts } from '../types.ts'

/** A context as the vectors write it: full key name -> its text, or a list for keys of several values. */
export type FlatContext = Readonly<Record<string, string | readonly string[]>>

/** Sorts a flat context into the typed namespaces, as the faces would have filled them. */
export function factsFromContext(context: FlatContext): { facts: Facts; s3: S3Facts } {
  const get = (name: string): string | undefined => {
    const value = context[name]
    return typeof value === 'string' ? value : undefined
  }
  const list = (name: string): readonly string[] | undefined => {
    const value = context[name]
    return typeof value === 'object' ? value : undefined
  }
  const tags = (prefix: string): ReadonlyMap<string, string> =>
    new Map(
      Object.entries(context).flatMap(([name, value]) =>
        name.startsWith(prefix) && typeof value === 'string'
          ? [[name.slice(prefix.length), value] as const]
          : [],
      ),
    )
  const number = (name: string): number | undefined => {
    const text = get(name)
    return text === undefined ? undefined : Number(text)
  }
  const headers = [...tags('s3:')].filter(([name]) => /^(?:x-amz-|if-)/.test(name))
  const requestTags = new Map(list('s3:RequestObjectTagKeys')?.map((key) => [key, 'value']))
  for (const [key, value] of tags('s3:RequestObjectTag/')) requestTags.set(key, value)
  const jwt = Object.entries(context).flatMap(([name, value]) =>
    name.startsWith('jwt:') ? [[name.slice('jwt:'.length), value] as const] : [],
  )
  const now = get('aws:CurrentTime') ?? '2026-06-01T00:00:00Z'
  const secure = get('aws:SecureTransport')
  return {
    facts: defined<Facts>({
      aws: defined<AwsFacts>({
        CurrentTime: new Date(now),
        SourceIp: get('aws:SourceIp'),
        SecureTransport: secure === undefined ? undefined : secure === 'true',
        UserAgent: get('aws:UserAgent'),
        Referer: get('aws:Referer'),
        username: get('aws:username'),
        userid: get('aws:userid'),
        principaltype: get('aws:principaltype'),
        PrincipalArn: get('aws:PrincipalArn'),
        PrincipalAccount: get('aws:PrincipalAccount'),
        groups: list('aws:groups'),
      }),
      principalTags: tags('aws:PrincipalTag/'),
      sts: defined({ DurationSeconds: number('sts:DurationSeconds') }),
      jwt: new Map(jwt),
    }),
    s3: defined<S3Facts>({
      prefix: get('s3:prefix'),
      delimiter: get('s3:delimiter'),
      'max-keys': number('s3:max-keys'),
      signatureAge: number('s3:signatureAge'),
      versionid: get('s3:versionid'),
      existingObjectTags: tags('s3:ExistingObjectTag/'),
      requestObjectTags: requestTags,
      headers: new Map(headers),
    }),
  }
}

/** Drops the members that are undefined: absent facts are absent. */
function defined<Shape extends object>(members: { [Name in keyof Shape]?: unknown }): Shape {
  const present = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as Shape // oxlint-disable-line typescript/no-unsafe-type-assertion -- test data that the vectors vouch for
}
