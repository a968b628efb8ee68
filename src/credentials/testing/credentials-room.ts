import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import type { State } from '../../state.ts'
import { openKeyRing, type KeyRing } from '../key-ring.ts'
import { openRevocations, type Revocations } from '../revocations.ts'
import { createSessions, type Sessions } from '../sessions.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryState } from './memory-state.ts'

/** One process of the credentials room over a store, with everything that it needs. */
export type CredentialsRoom = Readonly<{
  clock: FakeClock
  masterKey: KeyObject
  state: MemoryState
  ring: KeyRing
  revocations: Revocations
  sessions: Sessions
  errors: unknown[]
  close(): Promise<void>
}>

export type RoomOptions = Partial<
  Readonly<{
    clock: FakeClock
    masterKey: KeyObject
    state: MemoryState
    maxTokenBytes: number
    cacheSize: number
    longestSessionSeconds: number
  }>
>

export function newMasterKey(): KeyObject {
  return createSecretKey(randomBytes(32))
}

export async function openCredentialsRoom(options: RoomOptions = {}): Promise<CredentialsRoom> {
  const clock = options.clock ?? new FakeClock()
  const masterKey = options.masterKey ?? newMasterKey()
  const state = options.state ?? new MemoryState({ clock: clock.now })
  const errors: unknown[] = []
  const shared = {
    clock: clock.now,
    random: randomBytes,
    onError: (error: unknown) => errors.push(error),
    longestSessionSeconds: options.longestSessionSeconds ?? 604_800,
  }
  const ring = await openKeyRing(state, { ...shared, masterKey })
  const revocations = await openRevocations(state, shared)
  const { maxTokenBytes, cacheSize } = options
  const sessions = createSessions({
    ...shared,
    ring,
    revocations,
    ...(maxTokenBytes !== undefined && { maxTokenBytes }),
    ...(cacheSize !== undefined && { cacheSize }),
  })
  const close = async (): Promise<void> => {
    await ring.close()
    await revocations.close()
  }
  return { clock, masterKey, state, ring, revocations, sessions, errors, close }
}

/** A second process over the same store, under the same master key and clock. */
export function openSecondProcess(
  first: CredentialsRoom,
  options: RoomOptions = {},
): Promise<CredentialsRoom> {
  const { clock, masterKey } = first
  return openCredentialsRoom({ clock, masterKey, state: first.state.connect(), ...options })
}

/** Waits, in real time, until the condition holds; what comes over a watch takes a few milliseconds. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** A store whose reads go through the given function first. */
export function beforeGet(state: State, before: () => Promise<void>): State {
  return {
    get: async (key) => {
      await before()
      return state.get(key)
    },
    list: (prefix) => state.list(prefix),
    commit: (conditions, writes) => state.commit(conditions, writes),
    watch: (prefix, from, signal) => state.watch(prefix, from, signal),
    close: () => state.close(),
  }
}

/** A store whose lists arrive when the given function lets them. */
export function afterList(state: State, after: () => Promise<void>): State {
  return {
    get: (key) => state.get(key),
    list: async (prefix) => {
      const listed = await state.list(prefix)
      await after()
      return listed
    },
    commit: (conditions, writes) => state.commit(conditions, writes),
    watch: (prefix, from, signal) => state.watch(prefix, from, signal),
    close: () => state.close(),
  }
}
