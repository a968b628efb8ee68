import type { Socket } from 'node:net'

/** Bytes ready to be sent. */
export type Outgoing = Readonly<{ head: Buffer; body?: Buffer; times: number }>

/** What came back: the size of its body. */
export type Answered = Readonly<{ bodyBytes: number }>

/**
 * One keep-alive connection with one request in flight. It reads no more of an answer than its status and its length,
 * so that the load costs little beside the server. Whatever is no plain success ends the measurement.
 */
export class Connection {
  readonly #socket: Socket
  #head: Buffer = Buffer.alloc(0)
  /** Bytes of the body still to come; `undefined` while the head is awaited. */
  #left: number | undefined
  #bodyBytes = 0
  #done: ((answered: Answered) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.#socket.on('data', (bytes) => this.#read(bytes))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  async ask(request: Outgoing): Promise<Answered> {
    const answered = new Promise<Answered>((resolve, reject) => {
      this.#done = resolve
      this.#failed = reject
    })
    await Promise.race([answered, this.#send(request)])
    return answered
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  async #send({ head, body, times }: Outgoing): Promise<void> {
    if (body === undefined) this.#socket.write(head)
    else if (times === 1) this.#socket.write(Buffer.concat([head, body]))
    else {
      this.#socket.write(head)
      for (let sent = 0; sent < times; sent++) {
        if (!this.#socket.write(body)) {
          await new Promise((resolve) => this.#socket.once('drain', resolve))
        }
      }
    }
  }

  #read(bytes: Buffer): void {
    const left = this.#left ?? this.#readHead(bytes)
    if (left === undefined) return
    const rest = this.#left === undefined ? left : left - bytes.length
    if (rest < 0) return this.#fail(new Error('the answer is longer than its content-length'))
    this.#left = rest
    if (rest > 0) return
    this.#left = undefined
    this.#head = Buffer.alloc(0)
    this.#done?.({ bodyBytes: this.#bodyBytes })
  }

  /** How much of the body is missing once the head is there. */
  #readHead(bytes: Buffer): number | undefined {
    const all = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    const end = all.indexOf('\r\n\r\n')
    if (end === -1) {
      this.#head = all
      return undefined
    }
    const head = all.toString('latin1', 0, end)
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    if (!head.startsWith('HTTP/1.1 200') || length === undefined) {
      this.#fail(new Error(`not a plain success:\n${all.toString('utf8').slice(0, 2000)}`))
      return undefined
    }
    this.#bodyBytes = Number(length)
    return this.#bodyBytes - (all.length - end - 4)
  }

  #fail(error: Error): void {
    this.#failed?.(error)
  }
}
