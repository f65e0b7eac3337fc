import type { MailMatch } from '../../match/mail-match.js'
import { toPredicate } from '../../match/mail-match.js'
import { type Outbox, WaitEnded } from '../../match/outbox.js'
import type { PostmarkServer } from '../../server/postmark-server.js'
import { API_CODES, apiError } from '../api/api-error.js'
import { MESSAGE_ID, mailOf, toListedMail, toWholeMail } from './control-mail.js'
import type { ControlParameter, ControlRequest, ControlRoute } from './control-route.js'

const LONGEST_WAIT_MS = 60_000
const MOST_LISTED = 500

/** The calls that list, wait for, show and remove emails. */
export function mailRoutes(server: PostmarkServer, waitFor: Outbox['waitFor']): ControlRoute[] {
  return [
    {
      method: 'GET',
      path: '/sandbox/mails',
      summary: 'List the emails with their verdicts, newest first',
      parameters: [...MATCH, COUNT],
      answer: '`TotalCount`, and `Mails` as in the REST search, with `Verdict`',
      handle(request) {
        const found = server.mails.filter(toPredicate(readMatch(request)))
        const count = Math.min(request.number('count') ?? 100, MOST_LISTED)
        const listed = count > 0 ? found.slice(-count).reverse() : []
        return { TotalCount: found.length, Mails: listed.map((mail) => toListedMail(mail, server)) }
      },
    },
    {
      method: 'GET',
      path: '/sandbox/wait',
      summary: 'Wait for the first email that matches, which may be there already',
      parameters: [...MATCH, TIMEOUT],
      answer:
        'The whole email; 404 if none came in time, with a `Message` that says what is there instead, and `Mails`',
      async handle(request) {
        const timeoutMs = request.number('timeoutMs') ?? 5000
        if (timeoutMs > LONGEST_WAIT_MS)
          throw apiError(API_CODES.invalidRequest, `'timeoutMs' must be at most ${LONGEST_WAIT_MS}.`)
        try {
          const mail = await waitFor(readMatch(request), { timeoutMs }, request.signal)
          return await toWholeMail(mail, server)
        } catch (error) {
          if (!(error instanceof WaitEnded)) throw error
          // Not 408, because curl --retry and browsers repeat the request after it.
          const Mails = server.mails.slice(-10).map((mail) => toListedMail(mail, server))
          throw apiError(API_CODES.noMessage, error.message, 404, { Mails })
        }
      },
    },
    {
      method: 'GET',
      path: '/sandbox/mails/{MessageID}',
      summary: 'Get one email',
      parameters: [MESSAGE_ID],
      answer: 'As in the list, with `TextBody`, `HtmlBody`, `Links`, `Body` (the source) and `MessageEvents`',
      handle: (request) => toWholeMail(mailOf(server, request), server),
    },
    {
      method: 'DELETE',
      path: '/sandbox/mails',
      summary: 'Remove all emails, bounces, events and suppressions',
      parameters: [],
      answer: '`Removed`, the number of emails',
      handle() {
        const Removed = server.mails.length
        server.clear()
        return { Removed }
      },
    },
  ]
}

const text = (name: string, summary: string): ControlParameter => ({
  name,
  in: 'query',
  type: 'text',
  summary,
})
const MATCH = [
  text('to', 'A recipient in To, Cc or Bcc'),
  text('from', 'The address in From'),
  text('subject', 'The whole subject'),
  text('stream', 'The message stream'),
  text('tag', 'The tag'),
  text('metadata_*', 'A value of metadata: `metadata_order-id=42`'),
]
const COUNT: ControlParameter = {
  name: 'count',
  in: 'query',
  type: 'count',
  summary: `How many emails to list (default: 100, at most ${MOST_LISTED})`,
}
const TIMEOUT: ControlParameter = {
  name: 'timeoutMs',
  in: 'query',
  type: 'number',
  summary: `How long to wait in milliseconds (default: 5000, at most ${LONGEST_WAIT_MS})`,
}

function readMatch(request: ControlRequest): MailMatch {
  const metadata = request.startingWith('metadata_')
  const given = ['to', 'from', 'subject', 'stream', 'tag'].map((name) => [name, request.text(name)] as const)
  return {
    ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
    ...(metadata.length > 0 && { metadata: Object.fromEntries(metadata) }),
  }
}
