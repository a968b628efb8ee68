import { readFileSync } from 'node:fs'

/** An answer of Daypass's, so that the floor sends the same bytes. */
export type Answer = Readonly<{ headers: Readonly<Record<string, string>>; body: string }>

/** What Node writes into every answer by itself. */
const nodesOwn = new Set(['connection', 'date', 'keep-alive'])

export async function copyAnswer(response: Response): Promise<Answer> {
  const headers = [...response.headers].filter(([name]) => !nodesOwn.has(name))
  return { headers: Object.fromEntries(headers), body: await response.text() }
}

/** What the part that starts the floor has written for it. */
export function readSettings(path: string | undefined): unknown {
  return JSON.parse(readFileSync(path ?? '', 'utf8'))
}
