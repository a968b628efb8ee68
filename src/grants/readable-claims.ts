/**
 * The claims that policies may read as `jwt:*` (MinIO documentation, policy condition keys). Nothing else of a token
 * is kept, so a claim called `roleArn` or `sessionPolicy` cannot pose as something that we wrote ourselves.
 */
const readable = (
  'sub iss aud jti upn name groups given_name family_name middle_name nickname preferred_username profile ' +
  'picture website email gender birthdate phone_number address scope client_id'
).split(' ')

/** Texts and lists of texts; a claim of any other shape is left out, as are members that are no text. */
export function readableClaims(
  claims: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, string | readonly string[]> {
  const kept = new Map<string, string | readonly string[]>()
  for (const name of readable) {
    const value = claims.get(name)
    if (typeof value === 'string') kept.set(name, value)
    if (Array.isArray(value)) kept.set(name, value.filter(isText))
  }
  return kept
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
