import type { ConditionEntry, Document, Listed, Principals, Statement } from './document.ts'

/**
 * The document as compact JSON in one fixed order of members: what is stored, compared and counted.
 * Parsing it again gives an equal document and the same text.
 */
export function normalText(document: Document): string {
  return JSON.stringify({
    Version: document.version,
    Id: document.id,
    Statement: document.statements.map(statementJson),
  })
}

function statementJson(statement: Statement): Readonly<Record<string, unknown>> {
  return {
    Sid: statement.sid,
    Effect: statement.effect,
    ...principalJson(statement.principal),
    ...listedJson('Action', statement.action),
    ...listedJson('Resource', statement.resource),
    Condition: conditionJson(statement.conditions),
  }
}

function listedJson(name: string, listed: Listed | undefined): Readonly<Record<string, unknown>> {
  if (listed === undefined) return {}
  return { [listed.negated ? `Not${name}` : name]: oneOrMany(listed.values) }
}

function principalJson(principals: Principals | undefined): Readonly<Record<string, unknown>> {
  if (principals === undefined) return {}
  const kinds = [...principals.byKind].map(([kind, values]) => [kind, oneOrMany(values)])
  const value: unknown = principals.everyone ? '*' : Object.fromEntries(kinds)
  return { [principals.negated ? 'NotPrincipal' : 'Principal']: value }
}

function conditionJson(entries: readonly ConditionEntry[]): unknown {
  if (entries.length === 0) return undefined
  const operators = Map.groupBy(entries, ({ operator }) => operator)
  return Object.fromEntries(
    [...operators].map(([operator, keys]) => [
      operator,
      Object.fromEntries(keys.map(({ key, values }) => [key, oneOrMany(values)])),
    ]),
  )
}

function oneOrMany(values: readonly string[]): string | readonly string[] {
  const [only] = values
  return values.length === 1 && only !== undefined ? only : values
}
