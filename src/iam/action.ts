import { Fields } from './fields.ts'
import type { Form } from './form.ts'
import { IamError } from './iam-error.ts'
import type { Parameter } from './parameter.ts'
import type { ActionContext, Permission } from './types.ts'
import type { Members } from './value.ts'

type Parameters = Readonly<Record<string, Parameter<unknown>>>
type Values<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends Parameter<infer T> ? T : never
}

/** One entry of the table: parameters -> what must be permitted -> call -> the members of the answer. */
export type ActionDefinition<P extends Parameters> = Readonly<{
  parameters: P
  /** `change`: audited, refused when it cannot be. */
  effect: 'read' | 'change'
  /** All of them are needed. Judged before anything is looked up, so a stranger cannot ask what exists. */
  permissions(values: Values<P>, context: ActionContext): readonly Permission[]
  run(values: Values<P>, context: ActionContext): Members | Promise<Members>
}>

/** A call whose parameters are checked; nothing has been decided or done yet. */
export type PreparedCall = Readonly<{
  permissions: readonly Permission[]
  run(): Promise<Members>
}>

export type Action = Readonly<{
  effect: 'read' | 'change'
  prepare(form: Form, context: ActionContext): PreparedCall
  /** What the audit may hold of the form. */
  auditable(form: Form): Readonly<Record<string, string>>
}>

export function defineAction<P extends Parameters>(definition: ActionDefinition<P>): Action {
  const parameters = new Map(Object.entries(definition.parameters))
  const byField = new Map([...parameters].map(([name, each]) => [each.field ?? name, each]))
  return {
    effect: definition.effect,
    prepare: (form, context) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each member is made by the parameter of its name
      const values = parse(form, parameters) as Values<P>
      return {
        permissions: definition.permissions(values, context),
        run: async () => definition.run(values, context),
      }
    },
    auditable: (form) =>
      Object.fromEntries([...form].filter(([field]) => byField.get(head(field))?.secret === false)),
  }
}

/** `Tags.member.1.Key` -> `Tags` */
function head(field: string): string {
  return field.split('.', 1)[0] ?? ''
}

function parse(form: Form, parameters: ReadonlyMap<string, Parameter<unknown>>): object {
  const fields = new Fields(form)
  fields.takeText('Action')
  fields.takeText('Version')
  const values = [...parameters].map(
    ([name, parameter]) => [name, parameter.read(fields, name)] as const,
  )
  refuseUnknown(fields)
  return Object.fromEntries(values)
}

/** An ignored parameter may be one that narrows, and so a wider grant than was asked for. */
function refuseUnknown(fields: Fields): void {
  for (const name of fields.left()) {
    throw new IamError(
      'unknown_parameter',
      `This server does not know the parameter ${name.slice(0, 100)} here`,
    )
  }
}
