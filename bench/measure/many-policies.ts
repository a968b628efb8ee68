/**
 * A program: `many-policies.ts fill DIR COUNT` stores policies; `many-policies.ts match DIR ROUNDS SECONDS` prints the
 * processor time that a decision takes for users who have one of them each, compared with a decision on one policy.
 */
import { isAllowed } from '../../src/policy/index.ts'
import type { NamedPolicy, Question } from '../../src/policy/index.ts'
import { policyDocument } from '../policy-document.ts'
import { openCore } from './core.ts'
import { timeInTurn } from './time-calls.ts'

const [mode, dir = '', ...rest] = process.argv.slice(2)
const core = await openCore(dir)
const text = JSON.stringify(policyDocument(3))

async function fill(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await core.admin.createPolicy(`policy-${index}`, text)
}

function question(policy: NamedPolicy | undefined): Question {
  if (policy === undefined) throw new Error('the policy is not there')
  return {
    principal: { kind: 'user', account: '000000000000', arn: 'arn:aws:iam::000000000000:user/u' },
    accesses: [{ action: 's3:GetObject', resource: 'arn:aws:s3:::bench/report.csv' }],
    facts: { aws: { CurrentTime: new Date(), SourceIp: '10.1.2.3', SecureTransport: true } },
    identity: [policy],
    ceilings: [],
  }
}

async function match(rounds: number, seconds: number): Promise<void> {
  const count = core.admin.listPolicies().filter(({ name }) => name.startsWith('policy-')).length
  // A step that meets them all, far from each other.
  const nameAt = (index: number): string => `policy-${(index * 7919) % count}`
  const times = await timeInTurn(
    { rounds, seconds },
    {
      ours: (index) => isAllowed(question(core.admin.findPolicy(nameAt(index)))),
      floor: (index) => isAllowed(question(core.admin.findPolicy(nameAt(index % 1)))),
    },
  )
  process.stdout.write(JSON.stringify(times))
}

if (mode === 'fill') await fill(Number(rest[0]))
else await match(Number(rest[0]), Number(rest[1]))
await core.close()
