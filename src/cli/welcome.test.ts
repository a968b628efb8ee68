import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../secret.ts'
import { welcomeText } from './welcome.ts'
import type { Welcome, WelcomeProvider } from './welcome.ts'

const openId = { kind: 'openid', name: 'sso', clientId: 'storage' } as const
const plugin = { kind: 'plugin', name: 'custom', roleArn: 'arn:minio:iam:::role/idmp-x' } as const

function welcome(...providers: readonly WelcomeProvider[]): string {
  const server: Welcome = {
    endpoint: 'http://127.0.0.1:9000',
    operationsEndpoint: 'http://127.0.0.1:9002',
    region: 'us-east-1',
    root: {
      accessKeyId: 'ROOTKEY',
      secretAccessKey: new Secret('not to be seen'),
      path: 'data/root-credentials.json',
      created: false,
    },
    notices: [],
    providers,
  }
  return welcomeText(server)
}

describe('the words at start-up', () => {
  it('call each way in by its kind, with what its people have to send', () => {
    const text = welcome(
      plugin,
      { kind: 'ldap', name: 'staff' },
      { kind: 'certificates', name: 'tls' },
    )
    assert.match(text, /^ {2}plugin {9}custom, role arn:minio:iam:::role\/idmp-x$/m)
    assert.match(text, /^ {2}directory {6}staff$/m)
    assert.match(text, /^ {2}certificates {3}tls$/m)
    assert.doesNotMatch(text, /OpenID/)
  })

  it('exchange an id token only where an OpenID provider is there', () => {
    assert.doesNotMatch(welcome(plugin), /AssumeRoleWithWebIdentity/)
    const text = welcome(plugin, openId)
    assert.match(text, /^ {2}OpenID {9}sso, client storage$/m)
    assert.match(text, /Action=AssumeRoleWithWebIdentity --data/)
    assert.doesNotMatch(text, /RoleArn=/)
    const role = { ...openId, roleArn: 'arn:minio:iam:::role/y' }
    assert.match(welcome(role), /AssumeRoleWithWebIdentity -d RoleArn=arn:minio:iam:::role\/y/)
  })

  it('do not show a secret that is not new', () => {
    assert.doesNotMatch(welcome(), /not to be seen/)
  })
})
