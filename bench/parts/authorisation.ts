import { atMost } from '../figure.ts'
import type { Part } from '../part.ts'
import { runMeasure, timeFigure } from './policy.ts'

export const authorisation: Part = {
  name: 'authorisation',
  floor: 'SHA-256 of the token and of the request, and one HMAC with a signing key at hand',
  async measure(place, pace) {
    const times = await runMeasure(place, pace, 'measure/authorisation.ts', place.dir)
    const budget = atMost(60, 'µs')
    return [timeFigure('S3 authorisation, warm session', times, { budget })]
  },
}
