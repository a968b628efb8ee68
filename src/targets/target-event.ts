/** What the log may know of a tenant that gave nothing. Never a secret, and never a text of the tenant's own. */
export type TargetEvent = Readonly<{
  kind: 'target_unavailable' | 'target_refused' | 'policy_skipped'
  /** `NAMESPACE/NAME` */
  tenant: string
  step: TargetStep
  /** HTTP status of its answer. */
  status?: number
  /** Its error code, as far as it is a plain word. */
  code?: string
  /** Ours: why there was no answer, or none to be used. */
  reason?: string
}>

export type TargetStep = 'settings' | 'connection' | 'info' | 'info-canned-policy' | 'AssumeRole'
