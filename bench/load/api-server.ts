import { readFileSync } from 'node:fs'
import { Agent } from 'undici'

/** Where an API server is, and PEM files of who asks it. */
export type Administrator = Readonly<{ url: string; ca: string; cert: string; key: string }>

/** The bare API server: connections that are kept, and a body read to its end. */
export class ApiServer {
  readonly #url: string
  readonly #agent: Agent

  constructor({ url, ca, cert, key }: Administrator, connections: number) {
    this.#url = url
    this.#agent = new Agent({
      connections,
      connect: { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) },
    })
  }

  /** Throws at whatever is no success. */
  async post(path: string, body: string): Promise<string> {
    const { statusCode, body: answer } = await this.#agent.request({
      origin: this.#url,
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const text = await answer.text()
    if (statusCode >= 300) throw new Error(`${path}: ${statusCode} ${text}`)
    return text
  }

  close(): Promise<void> {
    return this.#agent.close()
  }
}
