import type { ConnectEvent } from '../problems/diagnostics.js'
import type { Capabilities } from './capabilities.js'
import { serverOf } from './grouping.js'
import type { Opened } from './open-session.js'
import type { SessionSettings } from './session-settings.js'

/** Whether commands may be written before the previous ones are answered. */
export function writesAhead(
  { keywords }: Capabilities,
  { pipelining }: Pick<SessionSettings, 'pipelining'>,
): boolean {
  return pipelining !== false && keywords.has('PIPELINING')
}

/** Whether consecutive whole emails are allowed by the server's offers and the options. */
export function wantsChunks(
  capabilities: Capabilities,
  settings: Pick<SessionSettings, 'pipelining' | 'inFlight'>,
): boolean {
  const { pipelining, inFlight } = settings
  const isOffered = writesAhead(capabilities, settings) && capabilities.keywords.has('CHUNKING')
  return isOffered && pipelining === 'auto' && inFlight.batch > 1
}

/** How emails share writes on a session, according to what its route has learned so far. */
export function modeInUse(
  { channel, capabilities, port }: Opened,
  settings: Pick<SessionSettings, 'pipelining' | 'inFlight' | 'grouping' | 'chunking'>,
): NonNullable<ConnectEvent['inUse']> {
  const session = { port, server: serverOf(channel, port) }
  if (!writesAhead(capabilities, settings)) return 'stepwise'
  if (wantsChunks(capabilities, settings) && settings.chunking.isOn(session)) return 'chunking'
  return settings.pipelining === 'auto' && settings.grouping.isOn(session) ? 'grouping' : 'envelope'
}
