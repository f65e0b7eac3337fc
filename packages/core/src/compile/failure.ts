import type { DeliveryOutcome } from '../problems/delivery-outcome.js'

const OUTCOME: DeliveryOutcome = 'not-sent'

/** The error of an email that never reached its transport, with the outcome `not-sent`. */
export function toFailure(thrown: unknown): Error {
  const { outcome = OUTCOME } = Object(thrown) as { outcome?: unknown }
  // An error with another outcome is shared with another email.
  const error =
    thrown instanceof Error && outcome === OUTCOME && Object.isExtensible(thrown)
      ? thrown
      : Object.assign(new Error(messageOf(thrown), { cause: thrown }), codeOf(thrown))
  return Object.assign(error, { outcome: OUTCOME })
}

function messageOf(thrown: unknown): string {
  const { message } = Object(thrown) as { message?: unknown }
  return typeof message === 'string' ? message : `The email was not sent: ${describeThrown(thrown)}`
}

function describeThrown(thrown: unknown): string {
  return typeof thrown === 'object' ? 'a value that is not an error was thrown.' : String(thrown)
}

function codeOf(thrown: unknown): { readonly code?: unknown } {
  const { code } = Object(thrown) as { code?: unknown }
  return code === undefined ? {} : { code }
}
