import { findConditionKey, objectTagPrefix } from './condition-keys.ts'
import { parseOperatorName } from './conditions.ts'
import { serviceOf, type ConditionEntry, type Document, type Statement } from './document.ts'
import { shown } from './errors.ts'
import { isEvaluatedService } from './ask.ts'
import { s3Actions } from './known-actions.ts'
import type { PolicyKind } from './types.ts'
import { actionsListed, actionsMeant, levelsCovered, levelsMeant } from './reach.ts'

/** What a document may say and yet probably does not mean. Each warning names its statement and member. */
export function findWarnings(document: Document): readonly string[] {
  return [
    ...documentWarnings(document),
    ...document.statements.flatMap((statement) => statementWarnings(statement, document.kind)),
  ]
}

function documentWarnings(document: Document): readonly string[] {
  const warnings: string[] = []
  if (document.version === undefined) {
    warnings.push('Version: absent, so 2008-10-17 holds and variables are plain text')
  }
  if (document.version !== '2012-10-17' && document.statements.some(writesVariables)) {
    warnings.push('Version: ${…} is a variable only in documents of Version 2012-10-17')
  }
  if (document.kind !== 'bucket' && document.statements.every(({ effect }) => effect === 'Deny')) {
    warnings.push('Statement: nothing is allowed by this document')
  }
  return warnings
}

function writesVariables({ resource, conditions }: Statement): boolean {
  const values = [...(resource?.values ?? []), ...conditions.flatMap((entry) => entry.values)]
  return values.some((value) => value.includes('${'))
}

function statementWarnings(statement: Statement, kind: PolicyKind): readonly string[] {
  const actions = actionsListed(statement.action)
  return [
    ...actionWarnings(statement),
    ...negationWarnings(statement),
    ...resourceWarnings(statement),
    ...principalWarnings(statement),
    ...statement.conditions.flatMap((entry) => conditionWarnings(entry, statement, actions, kind)),
    ...trustWarnings(statement, kind),
  ]
}

/** A role that anybody with a key, or anybody whom a provider vouches for, may take is seldom meant. */
function trustWarnings(
  { effect, principal, conditions }: Statement,
  kind: PolicyKind,
): readonly string[] {
  if (kind !== 'trust' || effect !== 'Allow' || principal === undefined) return []
  if (conditions.length > 0) return []
  const everyone = principal.everyone || principal.byKind.get('AWS')?.includes('*') === true
  return [
    ...(everyone ? [`${principal.path}: every user and every session may take the role`] : []),
    ...(principal.byKind.has('Federated')
      ? [
          `${principal.path}.Federated: without a Condition the role is for everybody of the provider`,
        ]
      : []),
  ]
}

function actionWarnings({ action }: Statement): readonly string[] {
  return action.values.flatMap((value) => {
    const service = serviceOf(value)
    if (service === '*') return []
    if (!isEvaluatedService(service)) {
      return [`${action.path}: ${shown(value)} never matches, its service is not evaluated here`]
    }
    const unknown = (service === 's3' || service === 'sts') && actionsMeant(value).length === 0
    return unknown ? [`${action.path}: ${shown(value)} matches no action known here`] : []
  })
}

function negationWarnings({ effect, action, resource, principal }: Statement): readonly string[] {
  const warnings: string[] = []
  if (effect === 'Allow' && action.negated) {
    warnings.push(`${action.path}: with Allow it reaches every service, admin: and sts: too`)
  }
  if (effect === 'Allow' && resource?.negated === true) {
    warnings.push(`${resource.path}: with Allow it reaches all other buckets`)
  }
  if (principal?.negated === true) {
    warnings.push(`${principal.path}: denies everybody else, the anonymous and new users too`)
  }
  return warnings
}

/** An object action with bucket ARNs only, a bucket action with object ARNs only: neither can ever match. */
function resourceWarnings({ action, resource }: Statement): readonly string[] {
  if (resource === undefined || action.negated || resource.negated) return []
  const covered = new Set(resource.values.flatMap((value) => [...levelsCovered(value)]))
  return action.values.flatMap((value) => {
    const levels = levelsMeant(value)
    if (levels.size === 0 || [...levels].some((level) => covered.has(level))) return []
    const wanted = [...levels].join(' or ')
    return [`${resource.path}: ${shown(value)} needs the ARN of ${articles[wanted] ?? wanted}`]
  })
}

const articles: Readonly<Record<string, string>> = {
  account: 'everything, "*"',
  bucket: 'a bucket, arn:aws:s3:::bucket',
  object: 'objects, arn:aws:s3:::bucket/*',
}

function principalWarnings({ principal }: Statement): readonly string[] {
  if (principal === undefined) return []
  return (['Service', 'CanonicalUser'] as const)
    .filter((kind) => principal.byKind.has(kind))
    .map((kind) => `${principal.path}.${kind}: is nobody who can ask here`)
}

function conditionWarnings(
  entry: ConditionEntry,
  statement: Statement,
  actions: readonly string[],
  kind: PolicyKind,
): readonly string[] {
  const key = findConditionKey(entry.key)
  // Elsewhere, too, it is read; yet a slip such as `aws3:prefix` is likelier there than the claim of a provider.
  const known = key?.known === true || (key?.known === 'claim' && kind === 'trust')
  if (key === undefined || !known) return [`${entry.path}: no such key here, always absent`]
  const warnings: string[] = []
  if (!fitsSomeAction(key.canonical, actions)) {
    warnings.push(`${entry.path}: no action of the statement has this key, it is always absent`)
  }
  if (forgeableKeys.has(key.canonical)) {
    warnings.push(`${entry.path}: the caller chooses this header, it proves nothing`)
  }
  if (statement.effect === 'Allow' && isOpenWhenAbsent(entry, statement)) {
    warnings.push(`${entry.path}: also true without any value; add "Null": "false" for the key`)
  }
  return warnings
}

const forgeableKeys: ReadonlySet<string> = new Set(['aws:useragent', 'aws:referer'])

function isOpenWhenAbsent(entry: ConditionEntry, { conditions }: Statement): boolean {
  if (parseOperatorName(entry.operator).quantifier !== 'all') return false
  const guard = conditions.find(
    ({ operator, key }) => operator === 'Null' && key.toLowerCase() === entry.key.toLowerCase(),
  )
  return guard?.values.every((value) => value.toLowerCase() === 'false') !== true
}

/** Keys that only some actions have, by what their lower-case name starts with. */
const actionsOfKeys: readonly (readonly [prefix: string, has: (action: string) => boolean])[] = [
  ['s3:prefix', (action) => action.startsWith('s3:listbucket')],
  ['s3:delimiter', (action) => action.startsWith('s3:listbucket')],
  ['s3:max-keys', (action) => action.startsWith('s3:listbucket')],
  ['s3:locationconstraint', (action) => action === 's3:createbucket'],
  ['s3:versionid', isObjectAction],
  [objectTagPrefix, isObjectAction],
  ['s3:requestobjecttag', (action) => action.startsWith('s3:putobject')],
  ['s3:object-lock-', (action) => action.startsWith('s3:putobject')],
  ['sts:durationseconds', (action) => action.startsWith('sts:')],
  ['aws:requesttag/', takesTags],
  ['aws:tagkeys', takesTags],
  ['aws:resourcetag/', (action) => action.startsWith('iam:')],
  ['iam:', (action) => action.startsWith('iam:')],
  ['s3:', (action) => action.startsWith('s3:')],
]

function fitsSomeAction(key: string, actions: readonly string[]): boolean {
  const rule = actionsOfKeys.find(([prefix]) => key.startsWith(prefix))
  return rule === undefined || actions.length === 0 || actions.some((name) => rule[1](name))
}

function takesTags(action: string): boolean {
  return action.startsWith('sts:') || action.startsWith('iam:')
}

function isObjectAction(action: string): boolean {
  return s3Actions.get(action) === 'object'
}
