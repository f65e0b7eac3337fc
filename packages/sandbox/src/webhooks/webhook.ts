import { validateHeaderName, validateHeaderValue } from 'node:http'
import { PostmarkError } from '@postmark-smtp/core'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'
import { DEFAULT_STREAM, type SandboxStream } from '../mail/stream.js'
import type { RecordType, SandboxEvent } from '../server/sandbox-event.js'

/** The details of one trigger. */
export interface WebhookTrigger {
  readonly enabled: boolean
  /** Only for Open: post only the first open of each recipient (default false). */
  readonly postFirstOpenOnly?: boolean
  /** Only for Bounce and SpamComplaint: post the raw source of the bounce as `Content` (default false). */
  readonly includeContent?: boolean
}

/** The events that a webhook gets. A trigger that is left out is off. */
export type WebhookTriggers = Readonly<Partial<Record<RecordType, boolean | WebhookTrigger>>>

/** A webhook for `startSandbox({ webhooks })` and `sandbox.addWebhook()`. */
export interface WebhookOptions {
  /** An http or https URL. A user and password in it are sent as Basic auth. @example 'http://127.0.0.1:3000/webhooks/postmark' */
  readonly url: string
  /** By default all six. @example { Bounce: true, Open: { enabled: true, postFirstOpenOnly: true } } */
  readonly triggers?: WebhookTriggers
  /** The ID of the message stream whose events it gets (default `outbound`, as at Postmark). */
  readonly stream?: string
  readonly basicAuth?: { readonly username: string; readonly password: string }
  /** More headers for each post. @example { 'X-Secret': '…' } */
  readonly headers?: Readonly<Record<string, string>>
}

/** A webhook of the sandbox's server. */
export interface SandboxWebhook {
  readonly id: number
  /** Without user and password. */
  readonly url: string
  readonly stream: string
  readonly triggers: Readonly<Record<RecordType, WebhookTrigger>>
  /** Whether it gets events. Only a webhook that the API made with `Verify: false` does not. */
  readonly verified: boolean
  /** Not enumerable, because it is secret. */
  readonly basicAuth: WebhookOptions['basicAuth']
  /** Not enumerable, because they may be secret. */
  readonly headers: Readonly<Record<string, string>>
}

/** The kinds of event that a webhook can get. */
export const RECORD_TYPES: readonly RecordType[] = [
  'Delivery',
  'Bounce',
  'SpamComplaint',
  'Open',
  'Click',
  'SubscriptionChange',
]

/**
 * Makes a webhook from its options.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS for an unknown option, or a value with which no post could be sent
 */
export function toWebhook(
  id: number,
  options: WebhookOptions,
  streams: readonly SandboxStream[],
  verified = true,
): SandboxWebhook {
  refuseUnknown(options, ['url', 'triggers', 'stream', 'basicAuth', 'headers'])
  const url = readUrl(options.url)
  const fromUrl = url.username === '' ? undefined : loginOf(url)
  url.username = ''
  url.password = ''
  const webhook: SandboxWebhook = {
    id,
    url: url.href,
    stream: readStream(options.stream ?? DEFAULT_STREAM, streams),
    triggers: readTriggers(options.triggers),
    verified,
    basicAuth: options.basicAuth ?? fromUrl,
    headers: readHeaders(options.headers ?? {}),
  }
  return Object.defineProperties(webhook, {
    basicAuth: { enumerable: false },
    headers: { enumerable: false },
  })
}

/** Whether a webhook gets an event. */
export function isWanted({ stream, triggers, verified }: SandboxWebhook, event: SandboxEvent): boolean {
  const { enabled, postFirstOpenOnly } = triggers[event.recordType]
  if (!verified || !enabled || stream !== event.stream) return false
  return !(postFirstOpenOnly && event.payload.FirstOpen === false)
}

function readUrl(text: unknown): URL {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url
  // The text is not repeated, because it may hold a password.
  const hint = 'Use a complete URL, such as http://127.0.0.1:3000/webhooks/postmark.'
  throw new PostmarkError('ERR_POSTMARK_OPTIONS', `Option url must be an http or https URL. ${hint}`, {
    hint,
  })
}

function loginOf({ username, password }: URL): NonNullable<WebhookOptions['basicAuth']> {
  return { username: decodeURIComponent(username), password: decodeURIComponent(password) }
}

function readStream(id: string, streams: readonly SandboxStream[]): string {
  const ids = streams.filter(({ type }) => type !== 'inbound').map((stream) => stream.id)
  if (ids.includes(id)) return id
  throw optionError('stream', id, `one of the streams that send: ${ids.join(', ')}`)
}

function readTriggers(wanted: WebhookTriggers | undefined): SandboxWebhook['triggers'] {
  refuseUnknown(wanted, RECORD_TYPES)
  const read = (type: RecordType): WebhookTrigger => {
    const trigger = wanted === undefined ? true : (wanted[type] ?? false)
    if (typeof trigger === 'boolean') return { enabled: trigger }
    refuseUnknown(trigger, ['enabled', 'postFirstOpenOnly', 'includeContent'])
    return trigger
  }
  return Object.fromEntries(RECORD_TYPES.map((type) => [type, read(type)])) as SandboxWebhook['triggers']
}

function readHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      throw optionError('headers', name, 'a valid header name with a value on one line')
    }
  }
  return { ...headers }
}
