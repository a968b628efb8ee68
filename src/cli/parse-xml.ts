import { SaxesParser } from 'saxes'
import { Answer } from './answer.ts'
import { CliError } from './cli-error.ts'

/** Deeper than any answer; what comes after would go down one call for each element. */
const deepest = 100

type Element = { name: string; text: string; children: [string, unknown][] }

/** Elements become members, text becomes text; of elements that repeat the last one counts. */
export function parseXml(text: string): Answer {
  const parser = new SaxesParser()
  const open: Element[] = [{ name: '', text: '', children: [] }]
  const top = (): Element => open.at(-1) ?? { name: '', text: '', children: [] }
  parser.on('doctype', () => {
    throw foreign()
  })
  parser.on('error', (cause) => {
    throw foreign(cause)
  })
  parser.on('opentag', ({ name }) => {
    if (open.length > deepest) throw foreign()
    open.push({ name, text: '', children: [] })
  })
  parser.on('text', (piece) => {
    top().text += piece
  })
  parser.on('closetag', () => {
    const element = open.pop()
    if (element) top().children.push([element.name, valueOf(element)])
  })
  parser.write(text).close()
  return new Answer(valueOf(top()))
}

function valueOf(element: Element): unknown {
  return element.children.length === 0 ? element.text : Object.fromEntries(element.children)
}

function foreign(cause?: unknown): CliError {
  return new CliError('unreachable', 'The answer is not one of a Daypass server', { cause })
}
