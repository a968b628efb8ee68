/**
 * A program: `policy.ts ROUNDS SECONDS STATEMENTS` prints the processor time of one decision. Floor: for each
 * statement one regular expression over the action and one over the resource, and no condition.
 */
import { isAllowed, parsePolicy } from '../../src/policy/index.ts'
import type { Question } from '../../src/policy/index.ts'
import { policyDocument } from '../policy-document.ts'
import { readPace, timeInTurn } from './time-calls.ts'

const pace = readPace()
const statements = Number(pace.rest[0])
const policy = parsePolicy(JSON.stringify(policyDocument(statements)), 'identity')

// Several of them, so that nothing about one question can be remembered.
const questions = Array.from({ length: 64 }, (_, index): Question => ({
  principal: { kind: 'user', account: '000000000000', arn: 'arn:aws:iam::000000000000:user/bench' },
  accesses: [
    { action: 's3:GetObject', resource: `arn:aws:s3:::bench/home/user-${index}/report.csv` },
  ],
  facts: {
    aws: {
      CurrentTime: new Date(),
      SourceIp: `10.1.2.${index}`,
      SecureTransport: true,
      UserAgent: 'aws-sdk-js/3.1169.0 os/linux lang/js',
      username: `user-${index}`,
    },
    principalTags: new Map([['team', 'green']]),
  },
  identity: [{ name: 'bench', policy }],
  ceilings: [],
}))
const asked = (index: number): Question => {
  const question = questions[index % questions.length]
  if (question === undefined || !isAllowed(question)) throw new Error('the bench is not allowed')
  return question
}
questions.forEach((_, index) => asked(index))

const patterns = Array.from({ length: statements }, (_, index) => ({
  action: index % 2 === 0 ? /^s3:(?:Put|Get).*$/ : /^s3:.*$/,
  resource: /^arn:aws:s3:::(?:other|bench)\/.*$/,
}))

const times = await timeInTurn(pace, {
  ours: (index) => isAllowed(questions[index % 64] as Question), // oxlint-disable-line typescript/no-unsafe-type-assertion -- there are 64
  floor: (index) => {
    const [access] = (questions[index % 64] as Question).accesses // oxlint-disable-line typescript/no-unsafe-type-assertion -- there are 64
    if (access === undefined) return 0
    let matches = 0
    for (const { action, resource } of patterns) {
      if (action.test(access.action) && resource.test(access.resource)) matches++
    }
    return matches
  },
})
process.stdout.write(JSON.stringify(times))
