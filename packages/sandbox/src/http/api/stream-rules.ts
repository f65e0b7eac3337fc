import type { SandboxStream } from '../../mail/stream.js'
import { API_CODES, apiError } from './api-error.js'
import type { JsonObject } from './api-route.js'

const MOST_STREAMS = 10
const TYPES = { transactional: 'Transactional', broadcasts: 'Broadcasts', inbound: 'Inbound' } as const
const HANDLINGS = ['None', 'Postmark', 'Custom'] as const

/** Postmark's name of a stream's type. */
export function typeName(type: SandboxStream['type']): string {
  return TYPES[type]
}

/** Reads a request to create a stream by Postmark's rules. */
export function readNewStream(body: JsonObject, streams: readonly SandboxStream[]): SandboxStream {
  const id = readId(body.ID)
  if (streams.some((stream) => stream.id === id)) {
    throw apiError(API_CODES.streamIdTaken, "The 'ID' provided already exists for this server.")
  }
  if (streams.length >= MOST_STREAMS) {
    const message = 'You have reached the maximum number of message streams for this server.'
    throw apiError(API_CODES.tooManyStreams, message)
  }
  return { id, type: readType(body.MessageStreamType), name: readName(body.Name), archived: false }
}

function readId(id: unknown): string {
  if (typeof id !== 'string' || id === '')
    throw apiError(API_CODES.streamIdMissing, "A valid 'ID' must be provided.")
  if (id.startsWith('pm-'))
    throw apiError(API_CODES.streamIdPrefix, "The 'ID' must not start with the 'pm-' prefix.")
  if (/^[a-z][a-z0-9_-]{0,29}$/.test(id)) return id
  const message =
    "The 'ID' must begin with a letter, contain only a-z, 0-9, '-' and '_', and have at most 30 characters."
  throw apiError(API_CODES.streamIdInvalid, message)
}

function readType(type: unknown): 'transactional' | 'broadcasts' {
  if (type === TYPES.transactional) return 'transactional'
  if (type === TYPES.broadcasts) return 'broadcasts'
  throw apiError(API_CODES.streamType, "The 'MessageStreamType' must be 'Transactional' or 'Broadcasts'.")
}

/** The name in a request, of at most 100 characters. */
export function readName(name: unknown): string {
  if (typeof name !== 'string' || name.trim() === '') {
    throw apiError(API_CODES.streamNameMissing, "A valid 'Name' must be provided.")
  }
  if (name.length <= 100) return name
  throw apiError(API_CODES.streamNameLong, "The 'Name' is limited to 100 characters.")
}

/** The description in a request, of at most 1000 characters. */
export function readDescription(text: unknown): string | null {
  if (text === undefined || text === null) return null
  if (typeof text === 'string' && text.length <= 1000) return text
  throw apiError(API_CODES.descriptionLong, "The 'Description' must be a string of at most 1000 characters.")
}

/** Who handles unsubscribing. By default Postmark does for broadcasts, and nobody for other types. */
export function readHandling(settings: unknown, type: SandboxStream['type']): (typeof HANDLINGS)[number] {
  const wanted = (settings as { UnsubscribeHandlingType?: unknown } | null | undefined)
    ?.UnsubscribeHandlingType
  if (wanted === undefined) return type === 'broadcasts' ? 'Postmark' : 'None'
  const handling = HANDLINGS.find((name) => name === wanted)
  if (handling !== undefined) return handling
  throw apiError(
    API_CODES.unsubscribeHandling,
    `The 'UnsubscribeHandlingType' must be one of: ${HANDLINGS.join(', ')}.`,
  )
}
