import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { type MailStatus, STATUSES, statusOf } from './mail-status.js'
import type { PageContext } from './page-context.js'

/** The filters of the list. An empty string filters nothing. */
export interface MailFilter {
  /** Text of the header or of the source. */
  readonly q: string
  readonly stream: string
  readonly tag: string
  /** @example 'order-id=42' */
  readonly metadata: string
  readonly to: string
  readonly status: MailStatus | 'unread' | ''
}

/** How many bytes of each email are searched for text. */
const SEARCHED_BYTES = 65_536

/** Reads the query of the list's URL. */
export function readFilter(query: (name: string) => string | undefined): MailFilter {
  const read = (name: string) => (query(name) ?? '').trim().slice(0, 200)
  const status = read('status')
  return {
    q: read('q'),
    stream: read('stream'),
    tag: read('tag'),
    metadata: read('metadata'),
    to: read('to'),
    status: status === 'unread' || Object.hasOwn(STATUSES, status) ? (status as MailFilter['status']) : '',
  }
}

/** The query that {@link readFilter} reads, with an `&` after each part. */
export function toQuery(filter: MailFilter): string {
  return Object.entries(filter)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}&`)
    .join('')
}

type Context = Pick<PageContext, 'server' | 'read'>
type Test = (mail: SandboxMail) => boolean

/** Whether any filter is set. */
export function isFiltered(filter: MailFilter): boolean {
  return Object.values(filter).some((value) => value !== '')
}

/** The emails that match the filter, newest first. */
export function filterMails(context: Context, filter: MailFilter): SandboxMail[] {
  const { mails } = context.server
  return (isFiltered(filter) ? mails.filter(toTest(context, filter)) : [...mails]).reverse()
}

/** Where an email is in the list. */
export interface ListPlace {
  readonly newer: SandboxMail | undefined
  readonly older: SandboxMail | undefined
  /** How many emails of the list are newer. */
  readonly index: number
}

/** Finds the neighbours of an email in the list. The email itself may have left the list, for example if it was unread. */
export function findInList(context: Context, filter: MailFilter, mail: SandboxMail): ListPlace {
  const { mails } = context.server
  const test = toTest(context, filter)
  const at = mails.lastIndexOf(mail)
  const newer = mails.slice(at + 1).filter(test)
  return { newer: newer[0], older: mails.slice(0, at).findLast(test), index: newer.length }
}

function toTest({ server, read }: Context, filter: MailFilter): Test {
  const { status } = filter
  const tests = [
    filter.stream !== '' && ((mail: SandboxMail) => mail.stream === filter.stream),
    status === 'unread' && ((mail: SandboxMail) => !read.has(mail)),
    status !== '' && status !== 'unread' && ((mail: SandboxMail) => statusOf(mail, server) === status),
    filter.tag !== '' && ((mail: SandboxMail) => holds(mail.postmark.tag, filter.tag)),
    filter.to !== '' &&
      ((mail: SandboxMail) => mail.envelope.to.some((address) => holds(address, filter.to))),
    filter.metadata !== '' && hasMetadata(filter.metadata),
    filter.q !== '' && hasText(filter.q),
  ].filter((test) => test !== false)
  return (mail) => tests.every((test) => test(mail))
}

function holds(text: string | null | undefined, wanted: string): boolean {
  return text?.toLowerCase().includes(wanted.toLowerCase()) ?? false
}

/** Without an `=`, any value matches. */
function hasMetadata(wanted: string): (mail: SandboxMail) => boolean {
  const [key = '', ...values] = wanted.split('=')
  const name = key.trim().toLowerCase()
  return ({ postmark }) =>
    Object.entries(postmark.metadata ?? {}).some(
      ([own, value]) =>
        own.toLowerCase() === name && (values.length === 0 || value === values.join('=').trim()),
    )
}

function hasText(wanted: string): (mail: SandboxMail) => boolean {
  return ({ headers, envelope, raw }) =>
    headers.some(({ value }) => holds(value, wanted)) ||
    envelope.to.some((address) => holds(address, wanted)) ||
    // Quoted-printable breaks lines anywhere.
    holds(raw.toString('utf8', 0, SEARCHED_BYTES).replace(/=\r?\n/g, ''), wanted)
}
