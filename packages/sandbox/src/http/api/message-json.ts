import { toAddressKey } from '@postmark-smtp/core'
import { readAddresses } from '../../mail/addresses.js'
import { headerValue, type MailHeader, readRawFields } from '../../mail/header-block.js'
import { readParts } from '../../mail/mime-parts.js'
import type { SandboxMail } from '../../mail/sandbox-mail.js'
import type { SandboxEvent } from '../../server/sandbox-event.js'
import type { ServerSettings } from '../../server/server-settings.js'
import { toEastern } from './eastern-time.js'

/** An email as a search shows it. */
export function toMessageJson(
  mail: SandboxMail,
  settings: ServerSettings,
): Readonly<Record<string, unknown>> {
  const { headers, raw, postmark, envelope } = mail
  const fields = readRawFields(raw)
  const [to, cc] = [people(fields, 'to'), people(fields, 'cc')]
  const named = new Set([...to, ...cc].map(({ Email }) => toAddressKey(Email)))
  const hidden = [...new Set(envelope.to)].filter((address) => !named.has(toAddressKey(address)))
  return {
    Tag: postmark.tag ?? '',
    MessageID: mail.messageId,
    MessageStream: mail.stream,
    To: to,
    Cc: cc,
    Bcc: hidden.map((Email) => ({ Email, Name: null })),
    Recipients: [...new Set(envelope.to)],
    ReceivedAt: toEastern(mail.receivedAt, true),
    From: headerValue(headers, 'from') ?? '',
    Subject: mail.subject,
    Attachments: readParts(raw).flatMap(({ filename }) => filename ?? []),
    Status: 'Sent',
    TrackOpens: settings.trackOpens || postmark.trackOpens === true,
    TrackLinks: postmark.trackLinks ?? settings.trackLinks,
    Metadata: { ...postmark.metadata },
    Sandboxed: false,
  }
}

/** An email with its text and what happened to it. */
export async function toMessageDetails(
  mail: SandboxMail,
  settings: ServerSettings,
  events: readonly SandboxEvent[],
): Promise<Readonly<Record<string, unknown>>> {
  const { text = '', html = '' } = await mail.parse()
  return {
    ...toMessageJson(mail, settings),
    TextBody: text,
    HtmlBody: html,
    Body: mail.raw.toString(),
    MessageEvents: events.map(toMessageEvent),
  }
}

function people(fields: readonly MailHeader[], name: string): { Email: string; Name: string | null }[] {
  return readAddresses(fields, name).map(({ address, name: display }) => ({
    Email: address,
    Name: display || null,
  }))
}

function toMessageEvent(event: SandboxEvent) {
  const [Type, Details] = describe(event)
  return { Recipient: event.recipient, Type, ReceivedAt: toEastern(event.at, true), Details }
}

function describe({ recordType, payload, bounce }: SandboxEvent): [type: string, details: object] {
  switch (recordType) {
    case 'Delivery':
      return [
        'Delivered',
        { DeliveryMessage: payload.Details, DestinationServer: 'sandbox', DestinationIP: '127.0.0.1' },
      ]
    case 'Open':
      return ['Opened', { Summary: `Email opened with ${nameOf(payload.Client)}` }]
    case 'Click': {
      const { OriginalLink, ClickLocation } = payload
      return ['LinkClicked', { Summary: `Link clicked: ${OriginalLink}`, Link: OriginalLink, ClickLocation }]
    }
    case 'SubscriptionChange': {
      const { Origin, SuppressSending } = payload
      return ['SubscriptionChanged', { Origin, SuppressSending: SuppressSending ? 'True' : 'False' }]
    }
    default:
      return ['Bounced', { Summary: bounce?.details ?? '', BounceID: String(bounce?.id ?? '') }]
  }
}

function nameOf(client: unknown): string {
  return String((client as { Name?: unknown } | undefined)?.Name ?? 'an unknown client')
}
