import { Channel, openSocket, type SmtpLog } from '@postmark-smtp/core/internal'

/** How a port answered. */
type PortState =
  | 'greeted'
  /** The connection was refused: nothing listens, or a firewall rejects it. */
  | 'refused'
  /** No answer at all: a firewall drops the packets. */
  | 'silent'
  | 'unreachable'
  /** Connected, but no greeting came. */
  | 'mute'
  /** Connected, but what came is not SMTP. */
  | 'foreign'
  /** Connected, but the greeting was not 220, or the connection ended. */
  | 'turned-away'

/** One port that was tried. */
export interface PortProbe {
  readonly host: string
  readonly address: string
  readonly family: number
  readonly port: number
  readonly state: PortState
  /** What the server said, or why it said nothing. */
  readonly text: string
  readonly connectMs: number | undefined
  readonly greetingMs: number | undefined
}

/** A port of an address. */
export interface Target {
  readonly host: string
  readonly address: string
  readonly family: number
  readonly port: number
}

/**
 * Connects to a port and waits for its greeting.
 * @param keep takes the channel of a server that greets; by default the session is ended
 */
export function probePort(
  { host, address, family, port }: Target,
  limitMs: number,
  signal: AbortSignal,
  log: SmtpLog,
  keep: (channel: Channel) => void = (channel) => channel.quit(),
): Promise<PortProbe> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const elapsed = () => Math.round(performance.now() - startedAt)
    let connectMs: number | undefined
    const socket = openSocket({ address, family }, port)
    socket.once('connect', () => {
      connectMs = elapsed()
    })
    const settle = (state: PortState, text: string) => {
      signal.removeEventListener('abort', stop)
      const greetingMs = state === 'greeted' ? elapsed() : undefined
      resolve({ host, address, family, port, state, text: log.redact(text), connectMs, greetingMs })
    }
    const late = () =>
      settle(connectMs === undefined ? 'silent' : 'mute', `no answer within ${limitMs / 1000} s`)
    const channel = new Channel(
      socket,
      {
        onEnd: (end) => {
          if (end.kind === 'late') late()
          else if (end.kind === 'protocol') settle('foreign', end.what)
          else if (end.kind === 'goodbye') settle('turned-away', end.reply.response)
          else settle(stateOf(end.cause, connectMs), end.cause?.message ?? 'the connection was closed')
        },
      },
      log,
    )
    const stop = () => {
      channel.destroy()
      late()
    }
    channel.limit(limitMs)
    channel.expect({
      onReply: (reply) => {
        channel.unlimit()
        if (reply.code === 421) return
        channel.owner = { onEnd: () => {} }
        settle(reply.code === 220 ? 'greeted' : 'turned-away', reply.response)
        if (reply.code === 220) keep(channel)
        else channel.destroy()
      },
    })
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function stateOf(cause: Error | undefined, connectMs: number | undefined): PortState {
  const { code = '' } = (cause ?? {}) as { code?: string }
  if (connectMs !== undefined) return 'turned-away'
  if (code === 'ECONNREFUSED') return 'refused'
  return code === 'ETIMEDOUT' ? 'silent' : 'unreachable'
}
