import type { Parameters } from './parameters.ts'
import { StsError } from './sts-error.ts'

/**
 * Lists of the query protocol (AWS Query protocol, "Lists"): `PolicyArns.member.1.arn`, `Tags.member.2.Key`. In the order of
 * their numbers, which may have gaps. Whoever sends a list in another spelling believes in something that is not there,
 * a restriction perhaps, so that is refused.
 */
type Members = ReadonlyMap<number, ReadonlyMap<string, string>>

/** `NAME.member.N`, or `NAME.member.N.FIELD`. @throws StsError `invalid_value` */
export function readList(parameters: Parameters, name: string, field = ''): readonly string[] {
  return inOrder(readMembers(parameters, name, [field])).flatMap(
    (fields) => fields.get(field) ?? [],
  )
}

/** `NAME.member.N.KEY` and `NAME.member.N.VALUE`; a value may be empty. @throws StsError `invalid_value` */
export function readPairs(
  parameters: Parameters,
  name: string,
  key: string,
  value: string,
): readonly (readonly [string, string])[] {
  return inOrder(readMembers(parameters, name, [key, value])).map((fields) => {
    const first = fields.get(key)
    if (first === undefined) throw malformed(name)
    return [first, fields.get(value) ?? '']
  })
}

function readMembers(parameters: Parameters, name: string, fields: readonly string[]): Members {
  const members = new Map<number, Map<string, string>>()
  for (const parameter of parameters.names()) {
    if (parameter !== name && !parameter.startsWith(`${name}.`)) continue
    const [, number = '', field = ''] =
      /^\.member\.([1-9][0-9]{0,3})(?:\.([A-Za-z]+))?$/.exec(parameter.slice(name.length)) ?? []
    if (number === '' || !fields.includes(field)) throw malformed(name)
    const member = members.get(Number(number)) ?? new Map<string, string>()
    members.set(Number(number), member.set(field, parameters.get(parameter) ?? ''))
  }
  return members
}

function inOrder(members: Members): readonly ReadonlyMap<string, string>[] {
  return [...members].sort(([one], [other]) => one - other).map(([, fields]) => fields)
}

function malformed(name: string): StsError {
  return new StsError('invalid_value', `${name} is sent as ${name}.member.1, ${name}.member.2, …`)
}
