import type { Ceiling, Facts } from '../policy/index.ts'
import type { Applicant } from './applicant.ts'
import type { Base } from './base.ts'
import type { Lifetime } from './lifetime.ts'
import type { IdentityFacts } from './session-facts.ts'
import type { SessionTags } from './session-tags.ts'
import type { GrantRequest } from './types.ts'

/** A grant that is not yet decided. */
export type Draft = Readonly<{
  applicant: Applicant
  base: Base
  request: GrantRequest
  sessionName: string
  tags: SessionTags
  sourceIdentity?: string | undefined
  lifetime: Lifetime
  /** Of the session that is about to be. */
  tenantCeilings: readonly Ceiling[]
}>

/**
 * What conditions may see when credentials are asked for. The duration in it is the one really given, so that a Deny on
 * `sts:DurationSeconds` cannot be slipped by leaving the parameter out; the tags are all that the session would have,
 * those of earlier roles, too.
 */
export function draftFacts(draft: Draft, who: IdentityFacts): Facts {
  const { request, lifetime, tags, sourceIdentity, sessionName } = draft
  const { client, externalId } = request
  return {
    ...who,
    aws: {
      CurrentTime: lifetime.issuedAt,
      SourceIp: client.source,
      SecureTransport: client.secure,
      ...(client.userAgent !== undefined && { UserAgent: client.userAgent }),
      ...who.aws,
    },
    requestTags: tags.tags,
    sts: {
      RoleSessionName: sessionName,
      DurationSeconds: lifetime.durationSeconds,
      TransitiveTagKeys: tags.transitiveKeys,
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
      ...(externalId !== undefined && { ExternalId: externalId }),
    },
  }
}
