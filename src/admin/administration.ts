import { follow } from '../follow.ts'
import { AccessKeys } from './access-keys.ts'
import { accessKeyKey, prefix } from './documents.ts'
import { Groups } from './groups.ts'
import { Holders } from './holders.ts'
import { LdapPolicies } from './ldap.ts'
import { Ledger } from './ledger.ts'
import type { AdministrationOptions } from './options.ts'
import { Policies } from './policies.ts'
import { Providers } from './providers.ts'
import { Roles } from './roles.ts'
import { Snapshot } from './snapshot.ts'
import { TagChanges } from './tags.ts'
import type { Tools } from './tools.ts'
import type { Administration, Directory } from './types.ts'
import { Users } from './users.ts'

export async function openAdministration(options: AdministrationOptions): Promise<Administration> {
  const snapshot = new Snapshot({
    overlay: options.overlay,
    openSecret: (id, sealed) => options.vault.open(accessKeyKey(id), sealed),
    ldapHome: options.ldapHome,
    onBroken: (key, error) => options.onError(`the stored entry ${key} cannot be used`, error),
  })
  const follower = await follow({
    state: options.state,
    prefix,
    clock: options.clock,
    reset: (entries) => snapshot.reset(entries),
    apply: (change) => snapshot.apply(change),
    onError: (error) => options.onError('the administration watch broke', error),
  })
  const ledger = new Ledger(options.state, follower, options.clock)
  const holders = new Holders(ledger, snapshot)
  const tools: Tools = { options, snapshot, ledger, holders, random: options.random }
  return { ...readsOf(snapshot), ...changesBy(tools), close: () => follower.close() }
}

function readsOf(snapshot: Snapshot): Directory {
  return {
    findPolicy: (name) => snapshot.findPolicy(name),
    findUser: (name) => snapshot.findUser(name),
    findGroup: (name) => snapshot.findGroup(name),
    findRole: (nameOrArn) => snapshot.findRole(nameOrArn),
    findAccessKey: (accessKeyId) => snapshot.findAccessKey(accessKeyId),
    findProvider: (arn) => snapshot.findProvider(arn),
    policiesOf: (user) => snapshot.policiesOf(user),
    boundaryOf: (user) => snapshot.boundaryOf(user),
    policiesOfRole: (nameOrArn) => snapshot.policiesOfRole(nameOrArn),
    policiesOfGroup: (name) => snapshot.policiesOfGroup(name),
    boundaryOfRole: (nameOrArn) => snapshot.boundaryOfRole(nameOrArn),
    groupsOf: (user) => snapshot.groupsOf(user),
    policiesAttachedTo: (subject) => snapshot.policiesAttachedTo(subject),
    listAttachments: (policy) => snapshot.listAttachments(policy),
    listPolicies: () => snapshot.listPolicies(),
    listUsers: () => snapshot.listUsers(),
    listGroups: () => snapshot.listGroups(),
    listRoles: () => snapshot.listRoles(),
    listAccessKeys: (user) => snapshot.listAccessKeys(user),
    listProviders: () => snapshot.listProviders(),
  }
}

function changesBy(tools: Tools): Omit<Administration, keyof Directory | 'close'> {
  const { holders } = tools
  const users = new Users(tools)
  const accessKeys = new AccessKeys(tools)
  const groups = new Groups(tools)
  const roles = new Roles(tools)
  const policies = new Policies(tools)
  const providers = new Providers(tools)
  const ldap = new LdapPolicies(tools)
  const tags = new TagChanges(tools, providers)
  return {
    createUser: (name, more) => users.create(name, more),
    deleteUser: (name, how = 'cascade') => users.delete(name, how),
    setUserStatus: (name, status) => users.setStatus(name, status),
    attachUserPolicy: (name, policy) => holders.attach({ kind: 'user', name }, policy),
    detachUserPolicy: (name, policy) => holders.detach({ kind: 'user', name }, policy),
    createGroup: (name) => groups.create(name),
    deleteGroup: (name, how = 'bare') => groups.delete(name, how),
    addUserToGroup: (group, user) => users.addToGroup(group, user),
    removeUserFromGroup: (group, user) => users.removeFromGroup(group, user),
    createRole: (role) => roles.create(role),
    deleteRole: (name, how = 'bare') => roles.delete(name, how),
    updateTrustPolicy: (role, text) => roles.updateTrustPolicy(role, text),
    updateRole: (role, change) => roles.update(role, change),
    attachPolicy: (holder, policy) => holders.attach(holder, policy),
    detachPolicy: (holder, policy) => holders.detach(holder, policy),
    putInlinePolicy: (holder, name, text) => holders.putInline(holder, name, text),
    deleteInlinePolicy: (holder, name) => holders.deleteInline(holder, name),
    setBoundary: (holder, policy) => holders.setBoundary(holder, policy),
    attachPrincipalPolicy: (subject, policy) => ldap.attach(subject, policy),
    detachPrincipalPolicy: (subject, policy) => ldap.detach(subject, policy),
    tag: (what, added) => tags.tag(what, added),
    untag: (what, keys) => tags.untag(what, keys),
    createAccessKey: (user, wish = {}) => accessKeys.create(user, wish),
    compareAccessKey: (user, brought) => accessKeys.compare(user, brought),
    replaceAccessKey: (user, brought) => accessKeys.replace(user, brought),
    deleteAccessKey: (accessKeyId) => accessKeys.delete(accessKeyId),
    setAccessKeyStatus: (accessKeyId, status) => accessKeys.setStatus(accessKeyId, status),
    createPolicy: (name, text, more) => policies.create(name, text, more),
    updatePolicy: (name, text) => policies.update(name, text),
    createPolicyVersion: (name, text, asDefault) => policies.createVersion(name, text, asDefault),
    setDefaultPolicyVersion: (name, version) => policies.setDefaultVersion(name, version),
    deletePolicyVersion: (name, version) => policies.deleteVersion(name, version),
    deletePolicy: (name, how = 'cascade') => policies.delete(name, how),
    createProvider: (provider) => providers.create(provider),
    deleteProvider: (arn) => providers.delete(arn),
    addClientId: (arn, clientId) => providers.addClientId(arn, clientId),
    removeClientId: (arn, clientId) => providers.removeClientId(arn, clientId),
    updateThumbprints: (arn, thumbprints) => providers.updateThumbprints(arn, thumbprints),
  }
}
