import type { Answer } from './answer.ts'
import { printable } from './printable.ts'

/**
 * A denial for people: who asked, the steps in order, then for each thing that was asked the verdict of every layer
 * and policy, and at the end what was missing. Understands denied requests and refused exchanges.
 */
export function renderDenial(trace: Answer): string {
  const accesses = trace.member('decision').items('accesses')
  const steps = [...trace.items('steps'), ...trace.items('trace')]
  const lines = [...heading(trace), '']
  let number = 1
  for (const step of steps) {
    lines.push(
      `${number++}. ${text(step, 'step')}: ${text(step, 'outcome')}`,
      `   ${text(step, 'detail')}`,
    )
  }
  for (const access of accesses) lines.push(...renderAccess(access, number++))
  const missing = accesses.filter((access) => access.text('outcome') !== 'allow')
  if (missing.length > 0) lines.push('')
  for (const access of missing) {
    lines.push(`Missing: ${text(access, 'action')} on ${text(access, 'resource')}`)
    lines.push(`Why:     ${text(access, 'reason')}`)
  }
  const refusal = trace.text('message')
  if (refusal !== undefined) lines.push('', `Refused: ${printable(refusal)}`)
  return lines.join('\n')
}

function heading(trace: Answer): string[] {
  const principal = trace.member('principal')
  const accessKeyId = principal.text('accessKeyId') ?? trace.member('proof').text('accessKeyId')
  const who = [
    principal.text('arn') ?? principal.text('kind'),
    principal.text('subject'),
    principal.text('provider'),
    accessKeyId === undefined ? undefined : `access key ${accessKeyId}`,
  ]
  const request = trace.text('requestId') ?? trace.text('action') ?? ''
  const source = trace.text('source') ?? trace.member('client').text('source') ?? ''
  return [
    `Decision ${text(trace, 'decisionId')} of ${text(trace, 'at')}`,
    `Request  ${printable(request)} from ${printable(source)}`,
    `Who      ${who
      .filter((part) => part !== undefined)
      .map(printable)
      .join(', ')}`,
  ]
}

function renderAccess(access: Answer, number: number): string[] {
  const lines = [
    `${number}. policies: ${verdicts.get(access.text('outcome') ?? '') ?? 'not allowed'}`,
    `   ${text(access, 'action')} on ${text(access, 'resource')}`,
  ]
  for (const layer of access.items('layers')) {
    lines.push(`   - ${layerName(layer)}: ${verdict(layer)}`)
    for (const policy of layer.items('policies')) {
      lines.push(`     - policy "${text(policy, 'policy')}": ${verdict(policy)}${because(policy)}`)
    }
  }
  return lines
}

const verdicts = new Map([
  ['allow', 'allowed'],
  ['deny', 'denies'],
  ['no-match', 'says nothing about it'],
  ['explicit-deny', 'denied by a statement'],
  ['implicit-deny', 'not allowed by any statement'],
])

function verdict(answer: Answer): string {
  return verdicts.get(answer.text('verdict') ?? '') ?? text(answer, 'verdict')
}

function layerName(layer: Answer): string {
  const [kind, name] = [text(layer, 'layer'), text(layer, 'name')]
  return name === '' || name === kind ? kind : `${kind} "${name}"`
}

function because(policy: Answer): string {
  const problem = policy.text('problem')
  if (problem !== undefined) return ` (${printable(problem)})`
  const statements = policy.items('statements').map((statement) => {
    const sid = statement.text('sid')
    const label = sid === undefined ? '' : ` "${printable(sid)}"`
    return `${text(statement, 'effect')} in statement ${Number(statement.text('index') ?? 0) + 1}${label}`
  })
  return statements.length === 0 ? '' : ` (${statements.join(', ')})`
}

function text(answer: Answer, name: string): string {
  return printable(answer.text(name) ?? '')
}
