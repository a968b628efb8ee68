/** Who can sign in at the local provider of the tour and of the README, and what their tokens say. */
export const accounts = {
  alice: { email: 'alice@example.com', policy: 'readwrite' },
  bob: { email: 'bob@example.com', policy: ['readonly'] },
} as const
