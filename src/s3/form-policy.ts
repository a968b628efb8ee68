import type { FormFields } from './access-port.ts'
import { entityTooLarge } from './body.ts'
import { S3Error } from './s3-error.ts'

/** What a form's own policy allows: its conditions, and until when. */
export type FormPolicy = Readonly<{ expiresAt: Date; conditions: readonly Condition[] }>

type Condition =
  | Readonly<{ kind: 'eq' | 'starts-with'; field: string; value: string }>
  | Readonly<{ kind: 'content-length-range'; min: number; max: number }>

/**
 * The policy of a browser upload, from its base64 text.
 *
 * @throws S3Error `form_policy_invalid` for bad base64, bad JSON, doubled members and anything unknown in it: an unread
 *   condition would be an unkept one.
 */
export function parseFormPolicy(base64: string): FormPolicy {
  if (!/^[A-Za-z0-9+/\s]+(?:={1,2}\s*)?$/.test(base64)) throw invalid('The policy is not base64.')
  const text = decode(base64)
  const document = parseJson(text)
  assertNoDoubles(text)
  const { expiration, conditions, ...unknown } = document
  if (Object.keys(unknown).length > 0) throw invalid('Unexpected member in the policy.')
  if (!Array.isArray(conditions)) throw invalid('The policy has no conditions.')
  return { expiresAt: parseExpiration(expiration), conditions: conditions.flatMap(parseCondition) }
}

function decode(base64: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    throw invalid('The policy is not UTF-8.')
  }
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    // Told below like any other policy that is not an object.
  }
  throw invalid('The policy is not a JSON object.')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `JSON.parse` takes the last of two members of one name; a signer may have meant the first. */
function assertNoDoubles(text: string): void {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g) ?? []
  const open: (Set<string> | undefined)[] = []
  for (const [index, token] of tokens.entries()) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (tokens[index + 1] === ':') {
      const name = String(JSON.parse(token))
      const names = open.at(-1)
      if (names?.has(name)) throw invalid('A member of the policy is doubled.')
      names?.add(name)
    }
  }
}

function parseExpiration(expiration: unknown): Date {
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/
  const instant = new Date(typeof expiration === 'string' ? expiration : '')
  if (
    typeof expiration !== 'string' ||
    !shape.test(expiration) ||
    Number.isNaN(instant.getTime())
  ) {
    throw invalid('The policy has no valid expiration.')
  }
  return instant
}

function parseCondition(condition: unknown): readonly Condition[] {
  if (Array.isArray(condition)) return [parseListed(condition)]
  if (!isRecord(condition)) throw invalid('A condition is neither an object nor a list.')
  return Object.entries(condition).map(([field, value]) => {
    if (typeof value !== 'string') throw invalid('The value of a condition must be text.')
    return { kind: 'eq', field: field.toLowerCase(), value }
  })
}

function parseListed(condition: readonly unknown[]): Condition {
  const [operator, first, second, ...more] = condition
  const kind = typeof operator === 'string' ? operator.toLowerCase() : ''
  if (more.length > 0) throw invalid('A condition has too many members.')
  if (kind === 'content-length-range') {
    return { kind, min: parseLength(first), max: parseLength(second) }
  }
  if (kind !== 'eq' && kind !== 'starts-with') throw invalid('A condition has an unknown operator.')
  if (typeof first !== 'string' || !first.startsWith('$') || typeof second !== 'string') {
    throw invalid('A condition must name a field and a text.')
  }
  return { kind, field: first.slice(1).toLowerCase(), value: second }
}

function parseLength(value: unknown): number {
  // A list within lists would be turned into text by as many calls within calls.
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw invalid('A content-length-range must have two whole numbers.')
}

function invalid(message: string): S3Error {
  return new S3Error('form_policy_invalid', `Invalid Policy: ${message}`)
}

const uncovered: ReadonlySet<string> = new Set(['file', 'policy', 'x-amz-signature', 'bucket'])

/**
 * Holds the form against its policy: not expired, each condition met, each field covered by one, the bucket named.
 *
 * @param values the fields as they will be used: the key with the file's name in it, and `bucket`.
 * @throws S3Error `form_expired`, `form_condition_unmet`
 */
export function assertForm(policy: FormPolicy, values: FormFields, now: Date): void {
  if (now >= policy.expiresAt)
    throw new S3Error('form_expired', 'Invalid according to Policy: Policy expired.')
  const covered = new Set<string>()
  const commonType = commonBeginning(values.get('content-type') ?? '')
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') continue
    covered.add(condition.field)
    if (!isMet(condition, values.get(condition.field) ?? '', commonType)) {
      throw unmet(`Policy Condition failed: ["${condition.kind}", "$${condition.field}"]`)
    }
  }
  if (!covered.has('bucket')) throw unmet('The policy has no condition on the bucket.')
  for (const field of values.keys()) {
    if (covered.has(field) || uncovered.has(field) || field.startsWith('x-ignore-')) continue
    throw unmet(`Extra input fields: ${field}`)
  }
}

type Compared = Exclude<Condition, { kind: 'content-length-range' }>

/** Each of a list of content types has to begin so: all of them do if what they have in common does. */
function isMet(condition: Compared, value: string, commonType: string): boolean {
  if (condition.kind === 'eq') return value === condition.value
  return (condition.field === 'content-type' ? commonType : value).startsWith(condition.value)
}

/** Found once for all conditions: there may be thousands of them, and thousands of types. */
function commonBeginning(list: string): string {
  const [first = '', ...rest] = list.split(',').map((one) => one.trim())
  let length = first.length
  for (const one of rest) {
    length = Math.min(length, one.length)
    while (length > 0 && !one.startsWith(first.slice(0, length))) length -= 1
  }
  return first.slice(0, length)
}

function unmet(message: string): S3Error {
  return new S3Error('form_condition_unmet', `Invalid according to Policy: ${message}`)
}

/** The narrowest of the policy's ranges. */
export function lengthRange(
  policy: FormPolicy | undefined,
): Readonly<{ min: number; max: number }> {
  let range = { min: 0, max: Number.MAX_SAFE_INTEGER }
  for (const condition of policy?.conditions ?? []) {
    if (condition.kind !== 'content-length-range') continue
    range = { min: Math.max(range.min, condition.min), max: Math.min(range.max, condition.max) }
  }
  return range
}

/** @throws S3Error `entity_too_small`, `entity_too_large` */
export function assertLength(range: Readonly<{ min: number; max: number }>, size: number): void {
  if (size > range.max) throw entityTooLarge(size, range.max)
  if (size < range.min) {
    throw new S3Error(
      'entity_too_small',
      'Your proposed upload is smaller than the minimum allowed size.',
      { detail: { proposedSize: size, minSizeAllowed: range.min } },
    )
  }
}
