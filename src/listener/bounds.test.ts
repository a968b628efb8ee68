import { describe } from 'node:test'
import { keepsItsBounds } from '../../test/bounds/index.ts'
import { createSourceReader } from './source.ts'

describe('bounds of what proxies say', () => {
  const read = createSourceReader(['10.0.0.0/8'])
  keepsItsBounds({
    name: 'X-Forwarded-For',
    parse: (text) => read('10.0.0.1', text),
    refuses: () => false,
    words: [',', '10.0.0.2,', '::ffff:', ' ', '1', '.'],
  })
})
