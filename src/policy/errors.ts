import { Refusal } from '../errors.ts'
import type { PolicyErrorCode } from './types.ts'

/** A document that is refused. The message names the member, as `Statement[0].Condition.IpAddress.aws:SourceIp: …`. */
export class PolicyError extends Refusal<PolicyErrorCode> {}

/** @param path of the member in the document; empty for the document itself. */
export function malformed(path: string, problem: string): PolicyError {
  return new PolicyError('malformed_policy', `${path === '' ? 'document' : path}: ${problem}`, {
    detail: { path },
  })
}

export function tooLarge(bytes: number, limit: number): PolicyError {
  const message = `the policy has ${bytes} bytes, ${limit} are allowed`
  return new PolicyError('policy_too_large', message, { detail: { bytes, limit } })
}

/** A value as an error message may show it: one line, escaped, short. */
export function shown(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
}

/** The path of a member; a name that could confuse is quoted. */
export function memberPath(path: string, name: string): string {
  const printable = /^[\w:/.@-]{1,80}$/.test(name) ? name : shown(name)
  return path === '' ? printable : `${path}.${printable}`
}
