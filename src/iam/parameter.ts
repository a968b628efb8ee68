import {
  checkGroupName,
  checkPolicyName,
  checkRoleName,
  checkTags,
  checkUserName,
} from '../admin/index.ts'
import type { Tags } from '../admin/index.ts'
import { Secret } from '../secret.ts'
import { policyNameOf } from './arn.ts'
import type { Fields } from './fields.ts'
import { IamError } from './iam-error.ts'

/** How one parameter is read: fields in (or none), checked value out. `secret`: never in the audit. */
export type Parameter<T> = Readonly<{
  secret: boolean
  /** Its name on the wire, where that is not the name of the member. */
  field?: string
  read(fields: Fields, name: string): T
}>

type Parse<T> = (text: string, name: string) => T

export function required<T>(parse: Parse<T>): Parameter<T> {
  return {
    secret: false,
    read: (fields, name) => {
      const text = fields.take(name)
      if (text === undefined) throw missing(name)
      return parse(text, name)
    },
  }
}

/** Absent and empty are the same: clients send empty fields for what people left out. */
export function optional<T>(parse: Parse<T>): Parameter<T | undefined> {
  return {
    secret: false,
    read: (fields, name) => {
      const text = fields.take(name)
      return text === undefined ? undefined : parse(text, name)
    },
  }
}

/** Optional, but an empty one is bad: what narrows must not be left out by an empty file or variable. */
export function stated<T>(parse: Parse<T>): Parameter<T | undefined> {
  return {
    secret: false,
    read: (fields, name) => {
      const text = fields.takeText(name)
      return text === undefined ? undefined : parse(text, name)
    },
  }
}

/** An optional text whose emptiness says something: "take it away". */
export const clearableText: Parameter<string | undefined> = {
  secret: false,
  read: (fields, name) => fields.takeText(name),
}

/** A parameter that goes by another name on the wire. */
export function named<T>(field: string, parameter: Parameter<T>): Parameter<T> {
  return { ...parameter, field, read: (fields) => parameter.read(fields, field) }
}

/** `Name.member.1`, `Name.member.2`, … without a gap. An empty list is the field `Name` alone, or nothing at all. */
export function list<T>(read: (fields: Fields, name: string) => T): Parameter<readonly T[]> {
  return {
    secret: false,
    read: (fields, name) => {
      const items: T[] = []
      if (fields.take(name) !== undefined) {
        throw new IamError('invalid_parameter', `${name} is a list: ${name}.member.1 and so on`)
      }
      for (let at = `${name}.member.1`; fields.has(at); at = `${name}.member.${items.length + 1}`) {
        items.push(read(fields, at))
      }
      return items
    },
  }
}

export function listOf<T>(parse: Parse<T>): Parameter<readonly T[]> {
  return list((fields, name) => required(parse).read(fields, name))
}

export function atLeastOne<T>(parameter: Parameter<readonly T[]>): Parameter<readonly T[]> {
  return {
    ...parameter,
    read: (fields, name) => {
      const items = parameter.read(fields, name)
      if (items.length === 0) throw missing(`${name}.member.1`)
      return items
    },
  }
}

const pairs = list((fields, name): readonly [string, string] => {
  const key = fields.take(`${name}.Key`)
  const value = fields.takeText(`${name}.Value`)
  if (key === undefined || value === undefined) throw missing(`${name}.Key, or its Value,`)
  return [key, value]
})

/** `Tags.member.1.Key`, `Tags.member.1.Value`. A key that comes twice is refused, in whatever case. */
export const tags: Parameter<Tags> = {
  secret: false,
  read: (fields, name) => {
    const given = pairs.read(fields, name)
    const map = new Map(given)
    if (map.size < given.length) {
      throw new IamError('invalid_parameter', `${name} holds a key twice`)
    }
    checkTags(map)
    return map
  },
}

/** A secret that may be given: kept out of audit and log. */
export const optionalSecret: Parameter<Secret | undefined> = {
  ...optional((value) => new Secret(value)),
  secret: true,
}

export const text: Parse<string> = (value) => value

/** An action that is asked about. One that has no service in front is allowed to nobody, which is no answer. */
export const actionText: Parse<string> = (value, name) => {
  if (/^[^:]+:[^:]+$/.test(value)) return value
  throw new IamError(
    'invalid_parameter',
    `${name} must be like s3:GetObject, with the service in front`,
  )
}

/** A resource that is asked about. What is no ARN is in no policy, so that every answer about it would be a no. */
export const resourceText: Parse<string> = (value, name) => {
  if (value === '*' || value.startsWith('arn:')) return value
  throw new IamError(
    'invalid_parameter',
    `${name} must be an ARN, such as arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/KEY, or *`,
  )
}

/** A secret that must be given. */
export const requiredSecret: Parameter<Secret> = {
  ...required((value) => new Secret(value)),
  secret: true,
}

export const userName: Parse<string> = (value) => {
  checkUserName(value)
  return value
}

export const groupName: Parse<string> = (value) => {
  checkGroupName(value)
  return value
}

export const roleName: Parse<string> = (value) => {
  checkRoleName(value)
  return value
}

export const policyName: Parse<string> = (value) => {
  checkPolicyName(value)
  return value
}

/** The ARN itself, which is also the resource that permission is asked for. */
export const policyArnText: Parse<string> = (value) => {
  policyNameOf(value)
  return value
}

/** Paths are not kept; the root path, which many clients send unasked, says nothing. */
export const rootPath: Parse<'/'> = (value, name) => oneOf('/')(value, name)

/** Everything here is under `/`, and nothing under another path. */
export const pathPrefix: Parse<string> = (value, name) => {
  if (/^\/[\x21-\x7e]{0,511}$/.test(value)) return value
  throw new IamError('invalid_parameter', `${name} is a path, which begins with /`)
}

export function under<T>(prefix: string | undefined, items: readonly T[]): readonly T[] {
  return prefix === undefined || prefix === '/' ? items : []
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Parse<T> {
  return (value, name) => {
    const found = allowed.find((choice) => choice === value)
    if (found === undefined) {
      throw new IamError(
        'invalid_parameter',
        `${name} must be ${allowed.join(' or ')} on this server`,
      )
    }
    return found
  }
}

export const flag: Parse<boolean> = (value, name) =>
  oneOf('true', 'false')(value.toLowerCase(), name) === 'true'

export const pageSize: Parse<number> = (value, name) => {
  if (!/^[1-9]\d{0,3}$/.test(value) || Number(value) > 1000) {
    throw new IamError('invalid_parameter', `${name} must be a number from 1 to 1000`)
  }
  return Number(value)
}

export const seconds: Parse<number> = (value, name) => {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value)
  throw new IamError('invalid_parameter', `${name} must be a number of seconds`)
}

/** ISO 8601 with a zone, such as 2027-01-31T12:00:00Z. */
export const instant: Parse<Date> = (value, name) => {
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
  const date = new Date(value)
  if (shape.test(value) && !Number.isNaN(date.getTime())) return date
  throw new IamError('invalid_parameter', `${name} must be an instant like 2027-01-31T12:00:00Z`)
}

/** The name after which the next page begins, base64url. */
export const marker: Parse<string> = (value, name) => {
  const decoded = Buffer.from(value, 'base64url').toString('utf8')
  if (Buffer.from(decoded, 'utf8').toString('base64url') !== value) {
    throw new IamError('invalid_parameter', `${name} is not one that this server made`)
  }
  return decoded
}

function missing(name: string): IamError {
  return new IamError('missing_parameter', `The parameter ${name} is missing`)
}
