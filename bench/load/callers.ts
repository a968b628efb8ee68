import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Connection } from './connection.ts'
import type { Answered, Outgoing } from './connection.ts'
import type { Plan } from './plan.ts'

/** Somebody who asks one thing at a time. */
export type Caller = Readonly<{ ask(request: Outgoing): Promise<Answered>; close(): void }>

/** On one connection that is kept, or, where the plan says so, on a new TLS connection for every request. */
export function createCaller({ port, newTls, keptTls }: Plan): Caller {
  const host = '127.0.0.1'
  if (keptTls !== undefined) return new Connection(connectTls({ port, host, ...keptTls }))
  if (newTls === undefined) return new Connection(connect({ port, host, noDelay: true }))
  return {
    async ask(request) {
      // Nothing of an earlier session is handed over, so every handshake is a whole one.
      const connection = new Connection(connectTls({ port, host, ...newTls }))
      try {
        return await connection.ask(request)
      } finally {
        connection.close()
      }
    },
    close: () => undefined,
  }
}
