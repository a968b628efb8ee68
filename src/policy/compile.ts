import { compileActions, type ActionMatcher } from './action.ts'
import { objectTagPrefix } from './condition-keys.ts'
import { compileConditions, type Condition } from './conditions.ts'
import type { Document, Statement } from './document.ts'
import { compilePrincipals, type PrincipalMatcher } from './principal.ts'
import { compileResources, type ResourceMatcher } from './resource.ts'
import { parseTemplate, variablesOf } from './template.ts'

/** A statement with everything in it compiled: judging it parses nothing. */
export type CompiledStatement = Readonly<{
  index: number
  sid: string | undefined
  effect: 'Allow' | 'Deny'
  actions: ActionMatcher
  resources: ResourceMatcher | undefined
  principal: PrincipalMatcher | undefined
  conditions: readonly Condition[]
}>

/** @throws PolicyError for values that the grammar lets pass but that mean nothing: ARNs, CIDRs, dates, numbers, variables */
export function compileDocument(document: Document): readonly CompiledStatement[] {
  const variables = hasVariables(document)
  return document.statements.map((statement) =>
    Object.freeze({
      index: statement.index,
      sid: statement.sid,
      effect: statement.effect,
      actions: compileActions(statement.action),
      resources: statement.resource && compileResources(statement.resource, variables),
      principal: statement.principal && compilePrincipals(statement.principal, document.kind),
      conditions: compileConditions(statement.conditions, variables),
    }),
  )
}

/** Variables exist since Version 2012-10-17. */
export function hasVariables(document: Document): boolean {
  return document.version === '2012-10-17'
}

/** Whether judging the document needs the tags of the stored object. */
export function readsObjectTags(document: Document): boolean {
  return document.statements.some(
    (statement) =>
      statement.conditions.some(({ key }) => key.toLowerCase().startsWith(objectTagPrefix)) ||
      (hasVariables(document) && variableNames(statement).some(isObjectTag)),
  )
}

/** Of all `${…}` in resources and conditions. */
export function variableNames({ resource, conditions, path }: Statement): readonly string[] {
  const texts = [...(resource?.values ?? []), ...conditions.flatMap(({ values }) => values)]
  const syntax = { wildcards: false, variables: true }
  return texts
    .filter((text) => text.includes('${'))
    .flatMap((text) => variablesOf(parseTemplate(text, syntax, path)))
    .map(({ name }) => name)
}

function isObjectTag(name: string): boolean {
  return name.toLowerCase().startsWith(objectTagPrefix)
}
