import { readFileSync } from 'node:fs'
import { Workshop, withoutOpenssl } from '../../src/identity/certificate/testing/authority.ts'
import { startDaypass } from '../daypass.ts'
import { copyAnswer } from '../floors/answer.ts'
import type { HandshakeFloor } from '../floors/handshake.ts'
import { floorAddress } from '../floors/serve.ts'
import { compare } from '../load/compare.ts'
import type { Plan } from '../load/plan.ts'
import { planForm } from '../load/plan.ts'
import { sendOverTls } from '../load/send-over-tls.ts'
import { Skipped } from '../part.ts'
import type { Part } from '../part.ts'
import { program } from '../program.ts'

const request = planForm({ Action: 'AssumeRoleWithCertificate', Version: '2011-06-15' })

export const certificate: Part = {
  name: 'certificate',
  floor:
    'a bare node:https server with the same P-256 key that asks for the same client certificate, without tickets, ' +
    'and answers the same bytes; it judges no certificate and writes nothing',
  async measure(place, pace) {
    const missing = withoutOpenssl()
    if (missing !== false) throw new Skipped(missing)
    const workshop = makeCertificates()
    place.defer(() => workshop.close())
    const tls = { certFile: workshop.file('server.pem'), keyFile: workshop.file('server.key') }
    const newTls: NonNullable<Plan['newTls']> = {
      ca: workshop.pem('ca'),
      cert: workshop.pem('backup'),
      key: readFileSync(workshop.file('backup.key'), 'utf8'),
    }
    const rules = [{ cn: 'backup', policies: ['readonly'] }]
    const ours = await startDaypass(place, {
      tls,
      certificates: { caFiles: [workshop.file('ca.pem')], rules },
    })
    const answer = await copyAnswer(await sendOverTls(ours.url, request, newTls))
    const settings: HandshakeFloor = { ...tls, answer }
    const floorProgram = [program('floors/handshake.ts'), place.file(JSON.stringify(settings))]
    const floor = await place.serve(floorProgram, floorAddress)
    return [
      await compare(place, pace, {
        name: 'certificate exchange, each on a new TLS connection',
        ours,
        floor,
        requests: [request],
        connections: 8,
        newTls,
        measure: 'rate',
      }),
    ]
  },
}

function makeCertificates(): Workshop {
  const workshop = new Workshop()
  workshop.make('ca', { extensions: 'ca' })
  workshop.make('server', { by: 'ca', extensions: ['subjectAltName=IP:127.0.0.1'] })
  workshop.make('backup', { by: 'ca', extensions: 'client' })
  return workshop
}
