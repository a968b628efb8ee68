import type { NamedPolicy, Policy } from '../policy/index.ts'
import type { AccessKey, RegisteredProvider, StoredPolicy, Tags, User } from './types.ts'

/** What the configuration file declares. It cannot be changed at run time, and stands before what the store holds. */
export type Overlay = Readonly<{
  policies: readonly DeclaredPolicy[]
  users: readonly DeclaredUser[]
  accessKeys: readonly AccessKey[]
  groups?: readonly DeclaredGroup[]
  roles?: readonly DeclaredRole[]
  providers?: readonly RegisteredProvider[]
}>

export type DeclaredPolicy = Pick<
  StoredPolicy,
  'name' | 'policy' | 'createdAt' | 'updatedAt' | 'managedBy'
>

export type DeclaredUser = Pick<User, 'name' | 'status' | 'policies' | 'createdAt' | 'managedBy'> &
  Readonly<{
    /** Under their own names, as in `DeclaredRole`. */
    inlinePolicies?: readonly NamedPolicy[]
    permissionsBoundary?: string
    tags?: Tags
  }>

export type DeclaredGroup = Readonly<{
  name: string
  policies: readonly string[]
  inlinePolicies?: readonly NamedPolicy[]
  /** Users of the file or of the store. */
  members: readonly string[]
}>

export type DeclaredRole = Readonly<{
  name: string
  trustPolicy: Policy
  description?: string
  policies: readonly string[]
  inlinePolicies?: readonly NamedPolicy[]
  maxSessionSeconds?: number
  permissionsBoundary?: string
  tags?: Tags
}>
