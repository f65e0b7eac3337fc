/** What an error code of Postmark's API means for an email. */
export interface ApiError {
  /** Postmark's name for it. */
  readonly name: string
  readonly cause: string
  readonly cure: string
}

/** What the REST API answers with code 300, for mail that SMTP may or may not accept. */
export const REST_ANSWERS = {
  noFrom: "Invalid 'From' value.",
  badFrom: (from: string): string => `Invalid 'From' address: '${from}'.`,
  noRecipients: 'Zero recipients specified',
  noBody: 'Provide either email TextBody or HtmlBody or both.',
} as const

/** Describes mail that Postmark's REST API refuses. */
export function refusedByRest(answer: string): string {
  return `Postmark’s REST API refuses such emails with "${answer}"; it is not documented whether SMTP does too.`
}

/**
 * The error codes that a send can cause. Over SMTP they arrive later, as a bounce of the type SMTPApiError.
 * @example API_ERRORS[406].cure
 * @see https://postmarkapp.com/developer/api/overview#error-codes
 */
export const API_ERRORS: Readonly<Record<number, ApiError>> = {
  10: {
    name: 'Bad or missing API token',
    cause: 'The token is of the wrong kind, belongs to another server, or was revoked.',
    cure: 'Copy the Server API token of the server you want to send from.',
  },
  300: {
    name: 'Invalid email request',
    cause: 'An address, the metadata, an attachment or a header breaks a limit.',
    cure: 'Fix what the description of the error names. Preflight finds such problems before the email leaves.',
  },
  400: {
    name: 'Sender signature not found',
    cause: 'The From address does not belong to any sender signature or domain of the account.',
    cure: 'Add the domain or the address under Sender Signatures, or send from one that is listed there.',
  },
  401: {
    name: 'Sender signature not confirmed',
    cause: 'The sender signature for the From address has not been confirmed.',
    cure: 'Follow the link in the email that Postmark sent to that address, or verify the whole domain.',
  },
  405: {
    name: 'Not allowed to send',
    cause: 'The account has no credits left.',
    cure: 'Add credits or change your plan, then send again.',
  },
  406: {
    name: 'Inactive recipient',
    cause:
      'The address is suppressed on this stream because of a hard bounce or a spam complaint, or manually.',
    cure: 'Do not send again. Reactivate the address only if its owner asks you to.',
  },
  411: {
    name: 'Forbidden attachment type',
    cause: 'An attachment has a file extension that Postmark does not accept.',
    cure: 'Put the file in an archive, or link to it.',
  },
  412: {
    name: 'Account is pending',
    cause: 'Until the account is approved, recipients must be on the same domain as From.',
    cure: 'Request approval, or send to your own domain.',
  },
  413: {
    name: 'Account may not send',
    cause: 'The account is not allowed to send mail.',
    cure: 'Contact Postmark support.',
  },
  1235: {
    name: 'Message stream not found',
    cause: 'The server has no message stream with this ID, or the stream is archived.',
    cure: 'Use the stream ID, not its name. The ID `broadcast` has no final s.',
  },
  1236: {
    name: 'Message stream cannot send',
    cause: 'The stream is an inbound stream.',
    cure: 'Use a transactional or a broadcast stream.',
  },
}
