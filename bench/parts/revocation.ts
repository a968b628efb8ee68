import { benchUser, iamAction, openSession, sendSigned, startDaypass } from '../daypass.ts'
import { atMost, makeFigure, median } from '../figure.ts'
import type { Part } from '../part.ts'
import { program } from '../program.ts'

export const revocation: Part = {
  name: 'revocation',
  floor: 'none: the promise is in seconds',
  async measure(place, pace) {
    const { users, key } = benchUser(place, 'readwrite')
    const server = await startDaypass(place, { users })
    const watcher = place.talk([program('measure/revocation-watcher.ts'), server.dir])
    const delays: number[] = []
    for (let sample = 0; sample < (pace.quick ? 5 : 25); sample++) {
      const session = await openSession(server, key)
      watcher.say(`${session.accessKeyId} ${session.sessionToken?.reveal()}`)
      await watcher.hear()
      const revoke = iamAction('RevokeSessions', { AccessKeyId: session.accessKeyId })
      const asked = Date.now()
      await (await sendSigned(server, 'iam', server.root, revoke)).text()
      delays.push(Number(await watcher.hear()) - asked)
      // So that the samples do not keep step with the watcher's looks at the store.
      await new Promise((resolve) => setTimeout(resolve, (sample * 37) % 250))
    }
    return [
      makeFigure({
        name: 'revocation seen by a second process, slowest',
        unit: 'ms',
        ours: Math.max(...delays),
        budget: atMost(2000, 'ms'),
        detail: { medianMilliseconds: median(delays), samples: delays.length },
      }),
    ]
  },
}
