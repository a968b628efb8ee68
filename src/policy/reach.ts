import { serviceOf, type Listed } from './document.ts'
import { knownActions, s3Actions, type ActionLevel } from './known-actions.ts'
import { anyOne, anyRun, matchCodes } from './wildcard.ts'

/** The known actions that one entry of `Action` names; for warnings and for checks at upload, not for judging. */
export function actionsMeant(value: string): readonly string[] {
  const lower = value.toLowerCase()
  if (lower === '*' || lower === '*:*') return knownActions
  const codes = Array.from(lower, (character) =>
    character === '*' ? anyRun : character === '?' ? anyOne : character.charCodeAt(0),
  )
  return knownActions.filter((action) => matchCodes(codes, action))
}

/** The known actions that a whole `Action` or `NotAction` list names. */
export function actionsListed(listed: Listed): readonly string[] {
  const meant = new Set(listed.values.flatMap(actionsMeant))
  return listed.negated ? knownActions.filter((action) => !meant.has(action)) : [...meant]
}

export function levelsMeant(value: string): ReadonlySet<ActionLevel> {
  return new Set(
    actionsMeant(value).flatMap((action) => {
      const level = s3Actions.get(action)
      return level === undefined ? [] : [level]
    }),
  )
}

/** What an entry of `Resource` can cover in S3. `b*` crosses the slash and covers both. */
export function levelsCovered(value: string): ReadonlySet<ActionLevel> {
  if (value === '*' || /^arn:[a-z-]+:s3:::\*+$/.test(value)) {
    return new Set<ActionLevel>(['account', 'bucket', 'object'])
  }
  if (serviceOf(value.replace(/^arn:[a-z-]+:/, '')) !== 's3') return new Set()
  // what stands in `${…}` is no wildcard and no slash of the path
  const path = value.replace(/^arn:[a-z-]+:s3:::/, '').replaceAll(/\$\{[^}]*\}/g, 'v')
  if (!path.includes('/')) {
    return new Set<ActionLevel>(/[*?]/.test(path) ? ['bucket', 'object'] : ['bucket'])
  }
  const bucketPart = path.slice(0, path.indexOf('/'))
  return new Set<ActionLevel>(bucketPart === '' ? [] : ['object'])
}
