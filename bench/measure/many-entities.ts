/**
 * A program: `many-entities.ts fill DIR COUNT` stores COUNT users with a key and a policy of their own each, and a tenth
 * as many roles; `many-entities.ts decide DIR ROUNDS SECONDS` prints the processor time that it takes to know who
 * signed a request and whether it is allowed, for users far from each other; floor: for one of them again and again.
 */
import type { HttpRequest } from '../../src/http.ts'
import { Secret } from '../../src/secret.ts'
import { policyDocument } from '../policy-document.ts'
import { openCore } from './core.ts'
import { authorise, signedGet } from './signed-request.ts'
import { timeInTurn } from './time-calls.ts'

const [mode, dir = '', ...rest] = process.argv.slice(2)
const core = await openCore(dir)
const text = JSON.stringify(policyDocument(3))
const trustPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::000000000000:root' },
      Action: 'sts:AssumeRole',
    },
  ],
})
/** How many are asked at once; the store makes one commit after the other anyway. */
const batch = 200

function keyOf(index: number): { accessKeyId: string; secretAccessKey: Secret } {
  return { accessKeyId: `key-${index}`, secretAccessKey: new Secret(`secret-of-user-${index}`) }
}

async function makeUser(index: number): Promise<void> {
  await core.admin.createPolicy(`policy-${index}`, text)
  await core.admin.createUser(`user-${index}`)
  await core.admin.attachUserPolicy(`user-${index}`, `policy-${index}`)
  await core.admin.createAccessKey(`user-${index}`, keyOf(index))
  if (index % 10 > 0) return
  await core.admin.createRole({ name: `role-${index}`, trustPolicy })
  await core.admin.attachPolicy({ kind: 'role', name: `role-${index}` }, `policy-${index}`)
}

async function fill(count: number): Promise<void> {
  for (let from = 0; from < count; from += batch) {
    const length = Math.min(batch, count - from)
    await Promise.all(Array.from({ length }, (_, index) => makeUser(from + index)))
  }
}

async function decide(rounds: number, seconds: number): Promise<void> {
  const count = core.admin.listUsers().length
  // Some, far from each other: the signatures are made beforehand.
  const requests = Array.from({ length: 256 }, (_, index) => {
    const user = (index * 7919) % count
    const { accessKeyId, secretAccessKey } = keyOf(user)
    return signedGet({ accessKeyId, secret: secretAccessKey }, user)
  })
  const times = await timeInTurn(
    { rounds, seconds },
    {
      ours: (index) => authorise(core, requests[index % 256] as HttpRequest), // oxlint-disable-line typescript/no-unsafe-type-assertion -- there are 256
      floor: () => authorise(core, requests[0] as HttpRequest), // oxlint-disable-line typescript/no-unsafe-type-assertion -- there are 256
    },
  )
  process.stdout.write(JSON.stringify(times))
}

if (mode === 'fill') await fill(Number(rest[0]))
else await decide(Number(rest[0]), Number(rest[1]))
await core.close()
