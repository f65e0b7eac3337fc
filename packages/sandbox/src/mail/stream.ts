import type { StreamType } from '@postmark-smtp/core'
import { optionError, refuseUnknown } from '@postmark-smtp/core/internal'

/** A message stream of the sandbox's server. */
export interface SandboxStream {
  /** @example 'broadcast' */
  readonly id: string
  readonly type: StreamType | 'inbound'
  readonly name: string
  readonly archived: boolean
}

/** A message stream for `startSandbox({ streams })`. */
export interface StreamSetting {
  /** @example 'receipts' */
  readonly id: string
  /** Default `transactional`. */
  readonly type?: StreamType | 'inbound'
  readonly name?: string
  readonly archived?: boolean
}

/** The stream of an email that does not name one. */
export const DEFAULT_STREAM = 'outbound'

const NEW_SERVER: readonly SandboxStream[] = [
  { id: DEFAULT_STREAM, type: 'transactional', name: 'Default Transactional Stream', archived: false },
  { id: 'broadcast', type: 'broadcasts', name: 'Default Broadcast Stream', archived: false },
  { id: 'inbound', type: 'inbound', name: 'Default Inbound Stream', archived: false },
]

/**
 * The streams of a new server and those of the option, which replace streams with the same ID.
 * @throws PostmarkError ERR_POSTMARK_OPTIONS
 */
export function toStreams(settings: readonly (string | StreamSetting)[] = []): SandboxStream[] {
  if (!Array.isArray(settings)) throw optionError('streams', settings, 'a list of streams')
  const streams = new Map(NEW_SERVER.map((stream) => [stream.id, stream]))
  for (const setting of settings) {
    const stream = toStream(typeof setting === 'string' ? { id: setting } : setting)
    streams.set(stream.id, stream)
  }
  return [...streams.values()]
}

/** Whether a stream can have this ID. */
export function isStreamId(id: string): boolean {
  return /^(?!pm-)[a-z][a-z0-9_-]{0,29}$/.test(id)
}

function toStream(setting: StreamSetting): SandboxStream {
  refuseUnknown(setting, ['id', 'type', 'name', 'archived'])
  const { id, type = 'transactional', name = id, archived = false } = setting
  if (typeof id !== 'string' || !isStreamId(id))
    throw optionError(
      'streams',
      id,
      'an ID that begins with a letter, has only a-z 0-9 - _ and at most 30 characters',
    )
  if (!['transactional', 'broadcasts', 'inbound'].includes(type))
    throw optionError(`streams.${id}.type`, type, '"transactional", "broadcasts" or "inbound"')
  return { id, type, name, archived }
}
