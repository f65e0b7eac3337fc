import { readMail, type SandboxMail, toSandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxStream } from '../mail/stream.js'
import { type SandboxBounce, toBounce } from './bounce.js'
import type { EventLog } from './event-log.js'
import type { ServerFact } from './journal.js'
import type { MailStore } from './mail-store.js'
import type { SandboxEvent } from './sandbox-event.js'
import type { SandboxSuppression, Suppressions } from './suppressions.js'

/** The state of a server that can survive its process. */
export interface ServerState {
  readonly store: MailStore
  readonly log: EventLog
  readonly suppressions: Suppressions
  readonly streams: Map<string, SandboxStream>
}

type FactOf<K extends ServerFact['kind']> = Extract<ServerFact, { readonly kind: K }>

export function mailFact(mail: SandboxMail): FactOf<'mail'> {
  const { id, messageId, receivedAt, envelope, stream, verdict, secure, hostType } = mail
  const at = { receivedAt: receivedAt.getTime() }
  return {
    kind: 'mail',
    id,
    messageId,
    ...at,
    envelope,
    stream,
    verdict,
    secure,
    ...(hostType && { hostType }),
  }
}

export function bounceFact({ id, type, mail, stream, recipient, at }: SandboxBounce): FactOf<'bounce'> {
  return { kind: 'bounce', id, type, mail: mail.messageId, stream, recipient, at: at.getTime() }
}

export function eventFact(event: SandboxEvent, log: EventLog): FactOf<'event'> {
  const { id, recordType, at, recipient, stream, mail, bounce } = event
  return {
    ...{ kind: 'event', id, recordType, at: at.getTime(), recipient, stream },
    ...(mail && { mail: mail.messageId }),
    ...(bounce && { bounce: bounce.id }),
    details: log.detailsOf(event),
  }
}

export function suppressionFact(suppression: SandboxSuppression): FactOf<'suppressed'> {
  return { kind: 'suppressed', ...suppression, at: suppression.at.getTime() }
}

/** The whole state as facts; those of an email come after it. `declared` are the streams that the options name anyway. */
export function* toFacts(
  { store, log, suppressions, streams }: ServerState,
  declared: ReadonlySet<SandboxStream>,
): Generator<{ readonly fact: ServerFact; readonly body?: Buffer }> {
  yield { fact: { kind: 'numbers', bounce: store.lastBounceId, event: log.lastId } }
  for (const stream of streams.values())
    if (!declared.has(stream)) yield { fact: { kind: 'stream', ...stream } }
  for (const mail of store.mails) {
    yield { fact: mailFact(mail), body: mail.raw }
    for (const bounce of store.bouncesOf(mail)) yield { fact: bounceFact(bounce) }
    for (const event of store.eventsOf(mail)) yield { fact: eventFact(event, log) }
  }
  for (const suppression of suppressions.list) yield { fact: suppressionFact(suppression) }
}

/** Restores a fact and calls no listener. Facts of an email that is gone are ignored. */
export function restoreFact(state: ServerState, fact: ServerFact, body: Buffer | undefined): void {
  const { store, log, suppressions, streams } = state
  switch (fact.kind) {
    case 'mail':
      store.addMail(toMail(fact, body ?? Buffer.alloc(0)))
      break
    case 'bounce':
      restoreBounce(fact, state)
      break
    case 'event':
      restoreEvent(fact, state)
      break
    case 'suppressed': {
      const { kind: _kind, ...suppression } = fact
      suppressions.add({ ...suppression, at: new Date(fact.at) })
      break
    }
    case 'lifted':
      suppressions.remove(fact.stream, fact.address)
      break
    case 'removed':
      store.remove(fact.mails)
      break
    case 'cleared':
      store.clear()
      suppressions.clear()
      break
    case 'stream': {
      const { kind: _kind, ...stream } = fact
      streams.set(stream.id, stream)
      break
    }
    case 'numbers':
      store.skipTo(fact.bounce)
      log.skipTo(fact.event)
  }
}

function toMail(fact: FactOf<'mail'>, raw: Buffer): SandboxMail {
  const { envelope, stream, verdict, secure, hostType, receivedAt } = fact
  const arrival = { secure, hostType }
  return toSandboxMail(readMail(raw, envelope), { stream, verdict }, arrival, new Date(receivedAt), fact)
}

function restoreBounce(fact: FactOf<'bounce'>, { store, suppressions }: ServerState): void {
  const { id, type, stream, recipient, at } = fact
  const mail = store.findMail(fact.mail)
  if (mail === undefined) return
  const isSuppressed = () => suppressions.has(stream, recipient)
  store.addBounce(toBounce({ id, type, mail, stream, recipient, at: new Date(at), isSuppressed }))
}

function restoreEvent(fact: FactOf<'event'>, { store, log }: ServerState): void {
  const { id, recordType, at, recipient, stream, details } = fact
  const mail = fact.mail === undefined ? undefined : store.findMail(fact.mail)
  const bounce = fact.bounce === undefined ? undefined : store.findBounce(fact.bounce)
  const event = { id, recordType, at: new Date(at), recipient, stream, mail, ...(bounce && { bounce }) }
  store.addEvent(log.restore(event, details))
}
