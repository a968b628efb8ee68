import type { Grant } from './types.ts'

type Fields = { [K in keyof Grant as K extends string ? K : never]: Grant[K] }

/** For those of this room who decide, and for nobody else: the fields are what was decided. */
export function mintGrant(fields: Fields): Grant {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place where a Grant is made
  return fields as Grant
}
