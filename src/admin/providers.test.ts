import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { AdminError } from './admin-error.ts'
import { providerName } from './names.ts'
import { open } from './testing/house.ts'

describe('the URL of an OpenID provider', () => {
  it('is https anywhere, or http on this machine', () => {
    for (const [url, name] of [
      ['https://login.example.org', 'login.example.org'],
      ['https://login.example.org:8443/realms/Main', 'login.example.org:8443/realms/Main'],
      ['https://127.0.0.1:1', '127.0.0.1:1'],
      ['http://127.0.0.1:5556', '127.0.0.1:5556'],
      ['http://127.1.2.3/a', '127.1.2.3/a'],
      ['http://localhost', 'localhost'],
      ['http://localhost:1/a', 'localhost:1/a'],
    ] as const) {
      assert.equal(providerName(url), name)
    }
  })

  it('is nothing else', () => {
    for (const url of [
      'http://login.example.org',
      'http://127.0.0.1.example.org',
      'http://127.0.0.1-a.example.org:1',
      'http://localhost.example.org/a',
      'http://localhostx',
      'http://10.0.0.1',
      'http://127.0.0.1@login.example.org',
      'https://user:word@login.example.org',
      'https://login.example.org/',
      'https://login.example.org/a/',
      'https://login.example.org?a=b',
      'https://login.example.org#a',
      'https://LOGIN.example.org',
      'https://login.example.org:99999',
      'ftp://login.example.org',
      'file:///etc/passwd',
      'login.example.org',
      `https://${'a'.repeat(255)}`,
      '',
    ]) {
      assert.throws(() => providerName(url), AdminError, url)
    }
  })
})

describe('an OpenID provider', () => {
  it('is there in every process of one store, with what was changed, until it is deleted', async () => {
    const one = await open()
    const two = await open({ state: one.state })
    const seen = async (clientIds: readonly string[] | undefined): Promise<void> => {
      while (String(two.admin.findProvider(arn)?.clientIds) !== String(clientIds)) {
        await setTimeout(5)
      }
    }
    const url = 'https://login.example.org/a'
    const { arn } = await one.admin.createProvider({ url, clientIds: ['app'], thumbprints: [] })
    await seen(['app'])
    assert.equal(two.admin.findProvider(arn)?.url, url)
    await one.admin.addClientId(arn, 'cli')
    await seen(['app', 'cli'])
    await one.admin.removeClientId(arn, 'app')
    await seen(['cli'])
    await one.admin.deleteProvider(arn)
    assert.deepEqual(one.revoked, [arn])
    await seen(undefined)
    assert.deepEqual(two.admin.listProviders(), [])
    await Promise.all([one.admin.close(), two.admin.close()])
  })
})
