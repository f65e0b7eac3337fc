/** What an error code of Postmark's API means for a mail. */
export interface ApiError {
  /** Postmark's name for it. */
  readonly name: string
  readonly cause: string
  readonly cure: string
}

/** What REST is known to answer under code 300 to a mail of which nobody knows whether SMTP takes it. */
export const REST_ANSWERS = {
  noFrom: "Invalid 'From' value.",
  badFrom: (from: string): string => `Invalid 'From' address: '${from}'.`,
  noRecipients: 'Zero recipients specified',
  noBody: 'Provide either email TextBody or HtmlBody or both.',
} as const

/** What is known of a mail that Postmark's other way to send refuses. */
export function refusedByRest(answer: string): string {
  return `Postmark’s REST API refuses such a mail with "${answer}"; whether SMTP does so too is not documented.`
}

/**
 * The error codes that a send can meet. Over SMTP they come later, as a bounce of the type SMTPApiError.
 * @example API_ERRORS[406].cure
 * @see https://postmarkapp.com/developer/api/overview#error-codes
 */
export const API_ERRORS: Readonly<Record<number, ApiError>> = {
  10: {
    name: 'Bad or missing API token',
    cause: 'The token is of another kind, of another server, or revoked.',
    cure: 'Copy the Server API token of the server that shall send.',
  },
  300: {
    name: 'Invalid email request',
    cause: 'An address, the metadata, an attachment or a header breaks a limit.',
    cure: 'Correct what the description of the error names. Preflight finds it, with its place, before the mail leaves.',
  },
  400: {
    name: 'Sender signature not found',
    cause: 'The From address belongs to no sender signature or domain of the account.',
    cure: 'Add the domain or the address under Sender Signatures, or send from one that is there.',
  },
  401: {
    name: 'Sender signature not confirmed',
    cause: 'The From address has a sender signature that nobody has confirmed.',
    cure: 'Follow the link in the mail that Postmark sent to that address, or verify the whole domain.',
  },
  405: {
    name: 'Not allowed to send',
    cause: 'The account has no credits left.',
    cure: 'Add credits or change the plan, then send again.',
  },
  406: {
    name: 'Inactive recipient',
    cause: 'The address is suppressed on this stream: a hard bounce, a spam complaint, or by hand.',
    cure: 'Do not send again. Reactivate the address only if its owner asks for it.',
  },
  411: {
    name: 'Forbidden attachment type',
    cause: 'A file name of an attachment has an extension that Postmark does not take.',
    cure: 'Put the file into an archive, or link to it.',
  },
  412: {
    name: 'Account is pending',
    cause: 'Until the account is approved, recipients must share the domain of From.',
    cure: 'Request approval, or send to your own domain.',
  },
  413: {
    name: 'Account may not send',
    cause: 'The account is not allowed to send mail.',
    cure: 'Write to the support of Postmark.',
  },
  1235: {
    name: 'Message stream not found',
    cause: 'The server has no message stream with this ID, or it is archived.',
    cure: 'Use the ID of the stream, not its name; `broadcast` has no final s.',
  },
  1236: {
    name: 'Message stream cannot send',
    cause: 'The stream is an inbound one.',
    cure: 'Use a transactional or a broadcast stream.',
  },
}
