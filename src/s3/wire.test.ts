import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'

import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'

import { createChecksum } from '../checksums/index.ts'
import { accessKeyId, now, openKit, secretAccessKey, textOf } from './testing/kit.ts'
import type { Kit } from './testing/kit.ts'

let kit: Kit
const seen: string[] = []
before(async () => {
  kit = await openKit({ observe: (operation, status) => void seen.push(`${operation} ${status}`) })
  await kit.send('/bkt', { method: 'PUT' })
  await kit.send('/bkt/k', { method: 'PUT', body: 'object' })
})
after(() => kit.close())
beforeEach(() => {
  kit.access.allows = () => true
})
