import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Answer } from './answer.ts'
import { renderDenial } from './render-denial.ts'

const denied = {
  decisionId: 'd1',
  at: '2026-03-04T05:06:07.000Z',
  requestId: 'R1',
  source: '192.0.2.7',
  principal: {
    kind: 'session',
    arn: 'arn:aws:sts::000000000000:assumed-role/corp/ann',
    subject: 'ann',
    accessKeyId: 'ASIA1',
  },
  steps: [
    { step: 'token check', outcome: 'ok', detail: 'the token opened' },
    { step: 'mapping', outcome: 'ok', detail: 'claim policy' },
  ],
  decision: {
    allowed: false,
    accesses: [
      {
        action: 's3:GetObject',
        resource: 'arn:aws:s3:::b/a',
        outcome: 'allow',
        reason: 'fine',
        layers: [],
      },
      {
        action: 's3:PutObject',
        resource: 'arn:aws:s3:::b/k\u001b[1m',
        outcome: 'explicit-deny',
        reason: 'statement 1 of "fence" denies it',
        layers: [
          {
            layer: 'identity',
            name: 'identity policies',
            verdict: 'deny',
            policies: [
              {
                policy: 'fence',
                verdict: 'deny',
                statements: [{ index: 0, sid: 'NoWrites', effect: 'Deny' }],
              },
              { policy: 'gone', verdict: 'deny', statements: [], problem: 'does not exist' },
            ],
          },
        ],
      },
    ],
  },
}

describe('a denial for people', () => {
  const text = renderDenial(new Answer(denied))

  it('tells the steps in order, then every policy, then what is missing', () => {
    const order = [
      'ASIA1',
      'token check',
      'the token opened',
      'mapping',
      's3:GetObject',
      'policy "fence"',
      'does not exist',
      'Missing: s3:PutObject',
      'Why:',
    ]
    const places = order.map((part) => text.indexOf(part))
    assert.ok(
      places.every((place) => place >= 0),
      text,
    )
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
  })

  it('names the deciding statement as people count', () => {
    assert.match(text, /policy "fence": denies \(Deny in statement 1 "NoWrites"\)/)
  })

  it('calls only what was not allowed missing', () => {
    assert.doesNotMatch(text, /Missing: s3:GetObject/)
  })

  it('shows control characters of an object key instead of obeying them', () => {
    assert.ok(text.includes(String.raw`b/k\u{1b}[1m`))
  })

  it('tells of a refused exchange too', () => {
    const refused = {
      kind: 'exchange',
      decisionId: 'd2',
      action: 'AssumeRoleWithWebIdentity',
      client: { source: '192.0.2.8' },
      principal: { kind: 'web-identity', provider: 'corp', subject: 'ann' },
      trace: [{ step: 'mapping', outcome: 'refused', detail: 'the claim names no policy' }],
      message: 'None of the policies exists',
    }
    const told = renderDenial(new Answer(refused))
    assert.match(told, /1\. mapping: refused\n {3}the claim names no policy/)
    assert.match(told, /Refused: None of the policies exists/)
  })

  it('survives whatever it is given', () => {
    for (const value of [undefined, null, 1, 'x', [], {}, { decision: { accesses: [null, {}] } }]) {
      assert.equal(typeof renderDenial(new Answer(value)), 'string')
    }
  })
})
