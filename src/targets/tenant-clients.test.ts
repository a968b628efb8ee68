import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { randomBytes } from 'node:crypto'
import { Secret } from '../secret.ts'
import { TenantClients } from './tenant-clients.ts'
import { minio, startTenant } from './testing/script-tenant.ts'

const ground = { clock: () => new Date(), random: randomBytes }
const broker = { accessKeyId: 'BROKER', secretAccessKey: new Secret('the secret of the broker') }

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 5000
  while (!condition()) {
    assert.ok(Date.now() < deadline, `never came true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('connections to tenants', () => {
  it('are kept while the way is the same, and closed with the tenant', async (t) => {
    const tenant = await startTenant(t, minio())
    const clients = new TenantClients(ground)
    t.after(() => clients.close())
    const way = { origin: new URL(tenant.endpoint), ca: undefined }
    const client = clients.get('a/b', way)
    await client.region(broker)
    assert.equal(clients.get('a/b', { ...way }), client)
    assert.equal(tenant.connections(), 1)
    clients.forget('a/b')
    await until(() => tenant.connections() === 0, 'the connection closed')
    assert.equal(clients.size, 0)
    // Who still holds it is told so.
    await assert.rejects(client.policy('x', 'r', broker), /it has just gone/)
  })

  it('are opened anew for another address or other authorities, and the old ones closed', async (t) => {
    const [first, second] = [await startTenant(t, minio()), await startTenant(t, minio())]
    const clients = new TenantClients(ground)
    t.after(() => clients.close())
    const before = clients.get('a/b', { origin: new URL(first.endpoint), ca: undefined })
    await before.region(broker)
    const after = clients.get('a/b', { origin: new URL(second.endpoint), ca: undefined })
    assert.notEqual(after, before)
    await until(() => first.connections() === 0, 'the old connection closed')
    const other = clients.get('a/b', { origin: new URL(second.endpoint), ca: 'another' })
    assert.notEqual(other, after)
    assert.equal(clients.size, 1)
  })

  it('are of a bounded number of tenants: the one asked for longest ago gives way', () => {
    const clients = new TenantClients(ground, 3)
    const way = { origin: new URL('http://127.0.0.1:1'), ca: undefined }
    for (const tenant of ['a', 'b', 'c', 'a', 'd']) clients.get(tenant, way)
    assert.deepEqual(clients.tenants(), ['c', 'a', 'd'])
  })

  it('let so many wait for one tenant and no more', async () => {
    const clients = new TenantClients(ground)
    const client = clients.get('a', { origin: new URL('http://127.0.0.1:1'), ca: undefined })
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = Array.from({ length: 64 }, () => client.enter(() => promise))
    await assert.rejects(
      client.enter(() => promise),
      /too many are waiting/,
    )
    resolve()
    await Promise.all(waiting)
    await client.enter(() => promise)
  })
})
