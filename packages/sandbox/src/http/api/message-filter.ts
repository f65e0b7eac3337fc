import { toAddressKey } from '@postmark-smtp/core'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import { DEFAULT_STREAM } from '../../mail/stream.js'
import type { SandboxEvent } from '../../server/sandbox-event.js'
import { API_CODES, apiError } from './api-error.js'
import type { ApiQuery } from './api-query.js'

/** Makes the filter of a search for emails. A refused email never became a message, so no search finds it. */
export function toMailFilter(query: ApiQuery): (mail: SandboxMail) => boolean {
  const [recipient, from] = [query.get('recipient'), query.get('fromemail')].map(
    (address) => address && toAddressKey(address),
  )
  const [tag, subject] = [query.get('tag'), query.get('subject')?.toLowerCase()]
  const queued = query.choice('status', ['queued', 'sent', 'processed']) === 'queued'
  const stream = query.get('messagestream') ?? DEFAULT_STREAM
  const inPeriod = query.period()
  const [metadata, ...more] = query.startingWith('metadata_')
  if (more.length > 0) throw apiError(API_CODES.messageQuery, 'A search can have only one metadata field.')
  return (mail) =>
    mail.verdict.outcome === 'sent' &&
    !queued &&
    mail.stream === stream &&
    (recipient === undefined || mail.envelope.to.some((address) => toAddressKey(address) === recipient)) &&
    (from === undefined || toAddressKey(mail.from) === from) &&
    (tag === undefined || mail.postmark.tag === tag) &&
    (subject === undefined || mail.subject.toLowerCase().includes(subject)) &&
    (metadata === undefined || hasMetadata(mail, ...metadata)) &&
    inPeriod(mail.receivedAt)
}

// Whether Postmark keeps the case of a key is not known.
function hasMetadata(mail: SandboxMail, key: string, value: string): boolean {
  const entries = Object.entries(mail.postmark.metadata ?? {})
  return entries.some(([name, found]) => name.toLowerCase() === key && found === value)
}

/** The filters of opens and clicks, with their places in the payload. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  recipient: ['Recipient'],
  tag: ['Tag'],
  client_name: ['Client', 'Name'],
  client_company: ['Client', 'Company'],
  client_family: ['Client', 'Family'],
  os_name: ['OS', 'Name'],
  os_family: ['OS', 'Family'],
  os_company: ['OS', 'Company'],
  platform: ['Platform'],
  country: ['Geo', 'Country'],
  region: ['Geo', 'Region'],
  city: ['Geo', 'City'],
}

/** Makes the filter of a search for opens or clicks. */
export function toEventFilter(query: ApiQuery): (event: SandboxEvent) => boolean {
  const stream = query.get('messagestream') ?? DEFAULT_STREAM
  const wanted = Object.entries(PLACES).flatMap(([name, place]) => {
    const value = query.get(name)
    return value === undefined ? [] : [{ place, value: value.toLowerCase() }]
  })
  return (event) =>
    event.stream === stream && wanted.every(({ place, value }) => valueAt(event.payload, place) === value)
}

function valueAt(payload: unknown, place: readonly string[]): string {
  const value = place.reduce<unknown>(
    (at, key) => (at as Record<string, unknown> | undefined)?.[key],
    payload,
  )
  return String(value).toLowerCase()
}
