import { decimalText, parseDecimal } from './decimal.ts'
import {
  resourcelessServices,
  serviceOf,
  type ConditionEntry,
  type Document,
  type Listed,
  type PrincipalKind,
  type Principals,
  type Statement,
  type Version,
} from './document.ts'
import { malformed, memberPath, shown } from './errors.ts'
import type { JsonValue } from './json-scan.ts'
import type { PolicyKind } from './types.ts'

const maxStatements = 100
const maxValues = 500
const maxValueBytes = 2048

type Members = ReadonlyMap<string, JsonValue>

/**
 * The grammar of IAM policy documents (AWS IAM User Guide, "Grammar of the IAM JSON policy language"), read strictly:
 * an unknown or misspelt member is refused, since ignoring `Conditions` would silently lift a condition.
 * @throws PolicyError `malformed_policy`
 */
export function readDocument(json: JsonValue, kind: PolicyKind): Document {
  const members = objectAt('', json)
  refuseUnknown('', members, ['Version', 'Id', 'Statement'])
  const statements = readStatements(members.get('Statement'), kind)
  refuseDoubledSids(statements)
  return { kind, version: readVersion(members), id: optionalText('', 'Id', members), statements }
}

function readVersion(members: Members): Version | undefined {
  const version = members.get('Version')
  if (version === undefined) return undefined
  if (version.kind === 'string') {
    if (version.value === '2012-10-17' || version.value === '2008-10-17') return version.value
  }
  throw malformed('Version', 'must be "2012-10-17" or "2008-10-17"')
}

function readStatements(value: JsonValue | undefined, kind: PolicyKind): readonly Statement[] {
  if (value === undefined) throw malformed('Statement', 'is missing')
  if (value.kind === 'object') return [readStatement('Statement', 0, value, kind)]
  if (value.kind !== 'array') throw malformed('Statement', 'must be an object or a list of objects')
  refuseLength('Statement', value.items.length, maxStatements)
  return value.items.map((item, index) => readStatement(`Statement[${index}]`, index, item, kind))
}

const statementMembers = [
  'Sid',
  'Effect',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Principal',
  'NotPrincipal',
  'Condition',
]

function readStatement(path: string, index: number, value: JsonValue, kind: PolicyKind): Statement {
  const members = objectAt(path, value)
  refuseUnknown(path, members, statementMembers)
  const effect = readEffect(path, members)
  const action = readAction(path, members, kind)
  return {
    path,
    index,
    sid: readSid(path, members),
    effect,
    action,
    resource: readResource(path, members, action, kind),
    principal: readPrincipal(path, members, effect, kind),
    conditions: readConditions(path, members),
  }
}

function readSid(path: string, members: Members): string | undefined {
  const sid = optionalText(path, 'Sid', members)
  if (sid === undefined || sid === '') return undefined
  if (/^[A-Za-z0-9 \-_.:/]+$/.test(sid)) return sid
  throw malformed(`${path}.Sid`, 'may hold letters, digits, spaces and - _ . : / only')
}

function refuseDoubledSids(statements: readonly Statement[]): void {
  const seen = new Set<string>()
  for (const { sid, path } of statements) {
    if (sid === undefined) continue
    if (seen.has(sid)) throw malformed(`${path}.Sid`, `${shown(sid)} names another statement, too`)
    seen.add(sid)
  }
}

function readEffect(path: string, members: Members): 'Allow' | 'Deny' {
  const effect = members.get('Effect')
  if (effect === undefined) throw malformed(`${path}.Effect`, 'is missing')
  if (effect.kind === 'string' && (effect.value === 'Allow' || effect.value === 'Deny')) {
    return effect.value
  }
  throw malformed(`${path}.Effect`, 'must be "Allow" or "Deny"')
}

function readAction(path: string, members: Members, kind: PolicyKind): Listed {
  const action = readListed(path, 'Action', members)
  if (action === undefined) throw malformed(`${path}.Action`, 'is missing')
  for (const value of action.values) {
    if (isAction(value)) continue
    throw malformed(action.path, `${shown(value)} is not of the form service:Name, nor "*"`)
  }
  if (kind === 'trust') refuseForeignActions(action)
  return action
}

/** A trust policy speaks of ways to take the role and of nothing else (AWS IAM User Guide, "Roles terms and concepts"). */
function refuseForeignActions({ path, negated, values }: Listed): void {
  if (negated) throw malformed(path, 'does not belong into trust policies')
  const foreign = values.find((value) => serviceOf(value) !== 'sts')
  if (foreign === undefined) return
  throw malformed(path, `${shown(foreign)} is no action by which a role is taken: sts:AssumeRole…`)
}

/** `*`, `*:*` or `service:Name`, wildcards in the name only. */
function isAction(value: string): boolean {
  return value === '*' || value === '*:*' || /^[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+$/.test(value)
}

function readResource(
  path: string,
  members: Members,
  action: Listed,
  kind: PolicyKind,
): Listed | undefined {
  const resource = readListed(path, 'Resource', members)
  if (kind === 'trust') {
    if (resource === undefined) return undefined
    throw malformed(
      resource.path,
      'does not belong into trust policies: the role is what they are about',
    )
  }
  if (resource !== undefined) return resource
  const free = action.values.every((value) => resourcelessServices.has(serviceOf(value)))
  if (free && !action.negated && kind !== 'bucket') return undefined
  throw malformed(`${path}.Resource`, 'is missing')
}

/** `Name` or `NotName`, one text or a list of them. */
function readListed(path: string, name: string, members: Members): Listed | undefined {
  const [plain, negated] = [members.get(name), members.get(`Not${name}`)]
  if (plain !== undefined && negated !== undefined) {
    throw malformed(path, `has both ${name} and Not${name}`)
  }
  const value = plain ?? negated
  if (value === undefined) return undefined
  const listPath = `${path}.${negated === undefined ? name : `Not${name}`}`
  return { path: listPath, negated: negated !== undefined, values: textsAt(listPath, value) }
}

function readPrincipal(
  path: string,
  members: Members,
  effect: 'Allow' | 'Deny',
  kind: PolicyKind,
): Principals | undefined {
  const [plain, negated] = [members.get('Principal'), members.get('NotPrincipal')]
  const value = plain ?? negated
  if (kind !== 'bucket' && kind !== 'trust') {
    if (value === undefined) return undefined
    const name = plain === undefined ? 'NotPrincipal' : 'Principal'
    throw malformed(`${path}.${name}`, 'belongs into bucket policies and trust policies only')
  }
  if (value === undefined) throw malformed(`${path}.Principal`, 'is missing')
  if (plain !== undefined && negated !== undefined) {
    throw malformed(path, 'has both Principal and NotPrincipal')
  }
  if (negated !== undefined && kind === 'trust') {
    throw malformed(`${path}.NotPrincipal`, 'does not belong into trust policies')
  }
  if (negated !== undefined && effect === 'Allow') {
    // it would let in everybody else, the anonymous included
    throw malformed(`${path}.NotPrincipal`, 'goes with Effect "Deny" only')
  }
  const valuePath = `${path}.${negated === undefined ? 'Principal' : 'NotPrincipal'}`
  const kinds = kind === 'trust' ? trustKinds : principalKinds
  return readPrincipals(valuePath, value, negated !== undefined, kinds)
}

const principalKinds: readonly PrincipalKind[] = ['AWS', 'Federated', 'Service', 'CanonicalUser']
const trustKinds: readonly PrincipalKind[] = ['AWS', 'Federated', 'Service']

function readPrincipals(
  path: string,
  value: JsonValue,
  negated: boolean,
  kinds: readonly PrincipalKind[],
): Principals {
  if (value.kind === 'string') {
    if (value.value === '*' && !negated) {
      return { path, negated, everyone: true, byKind: new Map() }
    }
    throw malformed(path, negated ? 'must name whom it spares' : 'must be "*" or an object')
  }
  const members = objectAt(path, value)
  refuseUnknown(path, members, kinds)
  if (members.size === 0) throw malformed(path, 'is empty')
  const byKind = new Map<PrincipalKind, readonly string[]>()
  for (const kind of kinds) {
    const listed = members.get(kind)
    if (listed !== undefined) byKind.set(kind, textsAt(`${path}.${kind}`, listed))
  }
  return { path, negated, everyone: false, byKind }
}

function readConditions(path: string, members: Members): readonly ConditionEntry[] {
  const condition = members.get('Condition')
  if (condition === undefined) return []
  const conditionPath = `${path}.Condition`
  return [...objectAt(conditionPath, condition)].flatMap(([operator, keys]) => {
    const operatorPath = memberPath(conditionPath, operator)
    const entries = objectAt(operatorPath, keys)
    if (entries.size === 0) throw malformed(operatorPath, 'is empty')
    return [...entries].map(([key, value]) => readCondition(operatorPath, operator, key, value))
  })
}

function readCondition(
  operatorPath: string,
  operator: string,
  key: string,
  value: JsonValue,
): ConditionEntry {
  refuseLongValue(operatorPath, key)
  const path = memberPath(operatorPath, key)
  return { path, operator, key, values: itemsAt(path, value).map((item) => scalarText(path, item)) }
}

function scalarText(path: string, value: JsonValue): string {
  if (value.kind === 'boolean') return String(value.value)
  if (value.kind === 'number') return canonicalNumber(path, value.text)
  if (value.kind === 'string') {
    refuseLongValue(path, value.value)
    return value.value
  }
  throw malformed(path, 'must be a text, a number, true or false, or a list of them')
}

function canonicalNumber(path: string, text: string): string {
  const number = parseDecimal(text)
  if (number === undefined) throw malformed(path, `${shown(text)} is out of range`)
  return decimalText(number)
}

function objectAt(path: string, value: JsonValue): Members {
  if (value.kind === 'object') return value.members
  throw malformed(path, 'must be an object')
}

function itemsAt(path: string, value: JsonValue): readonly JsonValue[] {
  if (value.kind !== 'array') return [value]
  refuseLength(path, value.items.length, maxValues)
  return value.items
}

function textsAt(path: string, value: JsonValue): readonly string[] {
  return itemsAt(path, value).map((item) => {
    if (item.kind !== 'string') throw malformed(path, 'must be a text or a list of texts')
    if (item.value === '') throw malformed(path, 'holds an empty text')
    refuseLongValue(path, item.value)
    return item.value
  })
}

function optionalText(path: string, name: string, members: Members): string | undefined {
  const value = members.get(name)
  if (value === undefined) return undefined
  const inner = memberPath(path, name)
  if (value.kind !== 'string') throw malformed(inner, 'must be a text')
  refuseLongValue(inner, value.value)
  return value.value
}

function refuseUnknown(path: string, members: Members, known: readonly string[]): void {
  for (const name of members.keys()) {
    if (known.includes(name)) continue
    throw malformed(path, `${shown(name)} is no member here; there are ${known.join(', ')}`)
  }
}

function refuseLength(path: string, length: number, limit: number): void {
  if (length === 0) throw malformed(path, 'is an empty list')
  if (length > limit) throw malformed(path, `has ${length} entries, ${limit} are allowed`)
}

function refuseLongValue(path: string, value: string): void {
  if (Buffer.byteLength(value) <= maxValueBytes) return
  throw malformed(path, `a value is longer than ${maxValueBytes} bytes`)
}
