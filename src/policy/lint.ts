import type { Document } from './document.ts'

export function findWarnings(_document: Document): readonly string[] {
  return []
}
