import { iamAction, planSigned, sendSigned, startDaypass } from '../daypass.ts'
import { makeFigure, median } from '../figure.ts'
import { load } from '../load/compare.ts'
import type { Part } from '../part.ts'
import { program } from '../program.ts'

const users = 64

export const iamWrites: Part = {
  name: 'iam-writes',
  floor:
    'bare SQLite in a process of its own: WAL, synchronous FULL, one row of the same length and one commit for each; ' +
    'no HTTP, no signature, no history, no audit',
  async measure(place, pace) {
    const ours = await startDaypass(place)
    const names = Array.from({ length: users }, (_, index) => `user-${index}`)
    for (const UserName of names) {
      await sendSigned(ours, 'iam', ours.root, iamAction('CreateUser', { UserName }))
    }
    // Two values in turn, so that every call changes something.
    const requests = ['red', 'blue'].flatMap((colour) =>
      names.map((name) => planSigned(ours, 'iam', ours.root, tagUser(name, colour))),
    )
    const contest = { requests, connections: 16 }
    const runFloor = async (): Promise<number> => {
      const file = place.file('')
      const said = await place.run([program('measure/commits.ts'), file, String(pace.seconds)])
      return Number(said)
    }
    await load(place, { ...pace, seconds: pace.firstWarmupSeconds }, contest, ours)
    const rounds: Awaited<ReturnType<typeof load>>[] = []
    const floor: number[] = []
    for (let round = 0; round < pace.rounds; round++) {
      floor.push(await runFloor())
      rounds.push(await load(place, pace, contest, ours))
    }
    return [
      makeFigure({
        name: 'IAM write (TagUser), durable and audited',
        unit: 'requests/s',
        ours: median(rounds.map(({ requestsPerSecond }) => requestsPerSecond)),
        floor: median(floor),
        detail: { p99Milliseconds: median(rounds.map(({ p99Milliseconds }) => p99Milliseconds)) },
      }),
    ]
  },
}

function tagUser(UserName: string, colour: string): ReturnType<typeof iamAction> {
  const tag = { 'Tags.member.1.Key': 'colour', 'Tags.member.1.Value': colour }
  return iamAction('TagUser', { UserName, ...tag })
}
