import type { MailLink } from '../mail/mail-links.js'
import type { SandboxMail } from '../mail/sandbox-mail.js'
import type { SandboxBounce } from './bounce.js'
import type { SandboxEvent } from './sandbox-event.js'
import type { SandboxSuppression } from './suppressions.js'
import { bouncePart, mailPart, suppressionPart, toPostmarkDate, webhookPayload } from './webhook-payload.js'

type Facts = Omit<SandboxEvent, 'id' | 'at' | 'payload'>

/** What the payload contains in addition to the email. */
export interface EventDetails {
  /** The key of the time. @example 'DeliveredAt' */
  readonly timeKey: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Makes the events of a server, each with the body that a webhook posts. */
export class EventLog {
  readonly #now: () => Date
  readonly #keep: (event: SandboxEvent) => void
  readonly #detailsOf: WeakMap<SandboxEvent, EventDetails> | undefined
  #lastId = 0

  /** @param remembers whether `detailsOf` will be called; the details of each event then stay in memory */
  constructor(now: () => Date, keep: (event: SandboxEvent) => void, remembers: boolean) {
    this.#now = now
    this.#keep = keep
    this.#detailsOf = remembers ? new WeakMap() : undefined
  }

  /** The highest ID so far. */
  get lastId(): number {
    return this.#lastId
  }

  /** Skips the IDs up to this one. */
  skipTo(id: number): void {
    this.#lastId = Math.max(this.#lastId, id)
  }

  detailsOf(event: SandboxEvent): EventDetails {
    return this.#detailsOf!.get(event)!
  }

  /** Makes an event that was kept, and calls no listener. */
  restore(event: Omit<SandboxEvent, 'payload'>, details: EventDetails): SandboxEvent {
    this.skipTo(event.id)
    return this.#make(event, details)
  }

  delivered(mail: SandboxMail, recipient: string): SandboxEvent {
    return this.#record({ recordType: 'Delivery', recipient, stream: mail.stream, mail }, 'DeliveredAt', {
      Recipient: recipient,
      Details: 'smtp;250 2.0.0 OK',
    })
  }

  opened(mail: SandboxMail, recipient: string, isFirst: boolean): SandboxEvent {
    return this.#record({ recordType: 'Open', recipient, stream: mail.stream, mail }, 'ReceivedAt', {
      FirstOpen: isFirst,
      Recipient: recipient,
    })
  }

  clicked(mail: SandboxMail, recipient: string, { url, location }: MailLink): SandboxEvent {
    return this.#record({ recordType: 'Click', recipient, stream: mail.stream, mail }, 'ReceivedAt', {
      ClickLocation: location,
      OriginalLink: url,
      Recipient: recipient,
    })
  }

  bounced(bounce: SandboxBounce): SandboxEvent {
    const { mail, stream, recipient, type } = bounce
    const recordType = type === 'SpamComplaint' ? type : 'Bounce'
    const facts = { recordType, recipient, stream, mail, bounce } as const
    return this.#record(facts, 'BouncedAt', { ...bouncePart(bounce), RecordType: recordType })
  }

  /** Records that a suppression was made or lifted; `mail` is the one that caused it. */
  suppressionChanged(
    suppression: SandboxSuppression,
    isMade: boolean,
    mail: SandboxMail | undefined,
  ): SandboxEvent {
    const { stream, address } = suppression
    return this.#record({ recordType: 'SubscriptionChange', recipient: address, stream, mail }, 'ChangedAt', {
      ...(mail === undefined && { MessageID: null, Tag: null, Metadata: {} }),
      ...suppressionPart(suppression, isMade),
    })
  }

  #record(facts: Facts, timeKey: string, fields: Readonly<Record<string, unknown>>): SandboxEvent {
    const event = this.#make({ id: ++this.#lastId, at: this.#now(), ...facts }, { timeKey, fields })
    this.#keep(event)
    return event
  }

  /** Making the payload takes longer than the rest of the event, so it is made at the first access. */
  #make(facts: Omit<SandboxEvent, 'payload'>, details: EventDetails): SandboxEvent {
    const { mail, recordType, at } = facts
    let payload: SandboxEvent['payload'] | undefined
    const event: SandboxEvent = {
      ...facts,
      get payload() {
        payload ??= webhookPayload(recordType, {
          ...(mail && mailPart(mail)),
          ...details.fields,
          [details.timeKey]: toPostmarkDate(at),
        })
        return payload
      },
    }
    this.#detailsOf?.set(event, details)
    return event
  }
}
