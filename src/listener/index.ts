/**
 * The door: node:http(s) servers that hand raw requests to a handler and write its answers.
 * Owns time limits, request ids, TLS reload, `Expect: 100-continue`, client addresses behind proxies, draining.
 * Knows no protocol of ours.
 */
export { listen } from './listen.ts'
export type { Listener, ListenOptions } from './listen.ts'
export { pacedBody } from './paced-body.ts'
export type { TlsMaterial, TlsPair } from './tls-material.ts'
export { createRateLimiter } from './rate-limiter.ts'
export type { RateLimiter } from './rate-limiter.ts'
