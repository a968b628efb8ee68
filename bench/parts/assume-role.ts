import { assumeRole, benchUser, planSigned, sendSigned, startDaypass } from '../daypass.ts'
import { copyAnswer } from '../floors/answer.ts'
import type { AssumeRoleFloor } from '../floors/assume-role.ts'
import { floorAddress } from '../floors/serve.ts'
import { compare } from '../load/compare.ts'
import type { Part } from '../part.ts'
import { policyDocument } from '../policy-document.ts'
import { program } from '../program.ts'

export const assumeRolePart: Part = {
  name: 'assume-role',
  floor:
    'a bare node:http server that hashes the same body and headers, makes one HMAC, and answers the same bytes; no audit',
  async measure(place, pace) {
    const { users, key } = benchUser(place, 'bench')
    const ours = await startDaypass(place, { policies: { bench: policyDocument(20) }, users })
    const answer = await copyAnswer(await sendSigned(ours, 'sts', key, assumeRole))
    const settings: AssumeRoleFloor = { answer }
    const floorProgram = [program('floors/assume-role.ts'), place.file(JSON.stringify(settings))]
    const floor = await place.serve(floorProgram, floorAddress)
    return [
      await compare(place, pace, {
        name: 'AssumeRole by a user (audit on)',
        ours,
        floor,
        requests: [planSigned(ours, 'sts', key, assumeRole)],
        connections: 32,
        measure: 'rate',
      }),
    ]
  },
}
