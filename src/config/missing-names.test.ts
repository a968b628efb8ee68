import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { loadConfig, missingNames } from './index.ts'

const dir = mkdtempSync(join(tmpdir(), 'daypass-missing-names-'))
after(() => rmSync(dir, { recursive: true }))
const file = join(dir, 'daypass.yaml')
writeFileSync(join(dir, 'ca.pem'), '')
writeFileSync(
  file,
  `
openid:
  - { name: sso, configUrl: "https://sso.example.com/.well-known/openid-configuration", clientId: a, rolePolicy: [readonly, p-sso] }
customTokens:
  - { url: "https://plugin.example.com/", rolePolicy: [p-plugin] }
tls: { certFile: ca.pem, keyFile: ca.pem }
certificates:
  caFiles: [ca.pem]
  rules:
    - { cn: alice, policies: [readonly, p-rule] }
    - { cn: robot, role: r-rule }
    - { cn: known, role: here }
    - { policyFrom: cn }
users: { bob: { policies: [p-user, readonly] } }
groups: { staff: { policies: [p-group], members: [bob] } }
roles:
  here:
    trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: "*", Action: "sts:AssumeRole" } }
    policies: [p-role]
    permissionsBoundary: p-boundary
ceiling: [p-ceiling]
`,
)

describe('names in the configuration that nobody has made', () => {
  it('are told with their places, and those that are there are not', () => {
    const known = {
      policy: (name: string) => name === 'readonly',
      role: (name: string) => name === 'here',
    }
    const told = missingNames(loadConfig({ file, env: {} }), known)
    assert.deepEqual(
      told.map((line) => line.replace(/, which there is not: it denies until it is made$/, '')),
      [
        'users.bob.policies names the policy "p-user"',
        'groups.staff.policies names the policy "p-group"',
        'roles.here.policies names the policy "p-role"',
        'roles.here.permissionsBoundary names the policy "p-boundary"',
        'openid.0.rolePolicy names the policy "p-sso"',
        'customTokens.0.rolePolicy names the policy "p-plugin"',
        'certificates.rules.0.policies names the policy "p-rule"',
        'certificates.rules.1.role names the role "r-rule"',
        'ceiling names the policy "p-ceiling"',
      ],
    )
  })

  it('are none where everything is there', () => {
    const known = { policy: () => true, role: () => true }
    assert.deepEqual(missingNames(loadConfig({ file, env: {} }), known), [])
  })
})
