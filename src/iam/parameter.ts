import { checkPolicyName, checkUserName } from '../admin/index.ts'
import { Secret } from '../secret.ts'
import { policyNameOf } from './arn.ts'
import { IamError } from './iam-error.ts'

/** How one parameter is read: text in (or nothing), checked value out. `secret`: never in the audit. */
export type Parameter<T> = Readonly<{
  secret: boolean
  parse(text: string | undefined, name: string): T
}>

type Parse<T> = (text: string, name: string) => T

export function required<T>(parse: Parse<T>): Parameter<T> {
  return {
    secret: false,
    parse: (text, name) => {
      if (text === undefined || text === '') {
        throw new IamError('missing_parameter', `The parameter ${name} is missing`)
      }
      return parse(text, name)
    },
  }
}

/** Absent and empty are the same: clients send empty fields for what people left out. */
export function optional<T>(parse: Parse<T>): Parameter<T | undefined> {
  return {
    secret: false,
    parse: (text, name) => (text === undefined || text === '' ? undefined : parse(text, name)),
  }
}

/** A secret that may be given: kept out of audit and log. */
export const optionalSecret: Parameter<Secret | undefined> = {
  ...optional((text) => new Secret(text)),
  secret: true,
}

export const text: Parse<string> = (value) => value

export const userName: Parse<string> = (value) => {
  checkUserName(value)
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

/** The name after which the next page begins, base64url. */
export const marker: Parse<string> = (value, name) => {
  const decoded = Buffer.from(value, 'base64url').toString('utf8')
  if (Buffer.from(decoded, 'utf8').toString('base64url') !== value) {
    throw new IamError('invalid_parameter', `${name} is not one that this server made`)
  }
  return decoded
}
