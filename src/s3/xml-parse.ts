import { SaxesParser } from 'saxes'

import { S3Error } from './s3-error.ts'

/** A parsed element: namespaces and attributes are left out, since no S3 body needs them. */
export type XmlElement = Readonly<{
  name: string
  /** The character data directly inside, joined. */
  text: string
  children: readonly XmlElement[]
}>

type Building = { name: string; text: string; children: XmlElement[] }

const deepest = 12
const mostElements = 100_000

/**
 * Parses a small XML document into a tree. UTF-8 only, no document type, no entities of the document's own.
 *
 * @throws S3Error `malformed_xml`, and nothing else, for any bytes whatever.
 */
export function parseXml(bytes: Uint8Array): XmlElement {
  try {
    return build(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw new S3Error('malformed_xml', 'The XML you provided was not well-formed.', {
      cause: error,
    })
  }
}

function build(text: string): XmlElement {
  const parser = new SaxesParser()
  const open: Building[] = []
  let root: XmlElement | undefined
  let count = 0
  const refuse = (error: Error) => {
    throw error
  }
  parser.on('error', refuse)
  // A document type could declare entities: "billion laughs" and reading of files begin there.
  parser.on('doctype', () => refuse(new Error('a document type is not allowed')))
  parser.on('opentag', (tag) => {
    count += 1
    if (open.length >= deepest || count > mostElements) refuse(new Error('too deep or too large'))
    open.push({ name: localName(tag.name), text: '', children: [] })
  })
  const addText = (data: string) => {
    const innermost = open.at(-1)
    if (innermost !== undefined) innermost.text += data
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    const done = open.pop()
    if (done === undefined) return
    const parent = open.at(-1)
    if (parent === undefined) root = done
    else parent.children.push(done)
  })
  parser.write(text).close()
  if (root === undefined) throw new Error('no root element')
  return root
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

/** The children of that name, in order. */
export function childrenOf(parent: XmlElement, name: string): readonly XmlElement[] {
  return parent.children.filter((child) => child.name === name)
}

/**
 * The text of the only child of that name, `undefined` when there is none.
 *
 * @throws S3Error `malformed_xml` when there are several: two readers could take different ones.
 */
export function childText(parent: XmlElement, name: string): string | undefined {
  const found = childrenOf(parent, name)
  if (found.length > 1) {
    throw new S3Error('malformed_xml', `The element ${name} must not be repeated.`)
  }
  return found[0]?.text
}
