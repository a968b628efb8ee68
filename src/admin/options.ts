import type { State } from '../state.ts'
import type { Overlay } from './overlay.ts'
import type { RegisteredProvider, Role } from './types.ts'

export type AdministrationOptions = Readonly<{
  state: State
  /** Seals secrets at rest; `purpose` binds a sealed text to its place. */
  vault: Readonly<{
    seal(purpose: string, plaintext: string): string
    open(purpose: string, sealed: string): string
  }>
  overlay: Overlay
  /** Policies that provider roles name: they cannot be deleted, since a role must not lose a Deny unnoticed. */
  rolePolicies: ReadonlySet<string>
  /** Ends the live sessions of a user that is deleted or disabled. */
  revokeUser(name: string, event: 'deleted' | 'disabled'): Promise<unknown>
  /** Ends the live sessions of a role that is deleted. */
  revokeRole(role: Pick<Role, 'name' | 'arn'>): Promise<unknown>
  /** Ends the live sessions that tokens of a provider began, when it is deleted. */
  revokeProvider(provider: Pick<RegisteredProvider, 'arn' | 'url'>): Promise<unknown>
  /**
   * For several directories: the one that a distinguished name is taken for when nobody says. Absent: there is one at
   * most, and whatever was attached without a word about it is its people's.
   */
  ldapHome?: ((name: string) => string) | undefined
  clock: () => Date
  random: (bytes: number) => Buffer
  onError(what: string, error: unknown): void
}>
