import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createPostmarkTransport, explainSmtpError, type PostmarkTransportOptions } from '@postmark-smtp/core'
import {
  createScriptedServer,
  installVirtualClock,
  type MemorySocket,
  type ScriptedServer,
  type ServerNature,
  type Step,
  type StepFault,
  type StepScript,
  type VirtualClock,
} from '@postmark-smtp/testing'
import { judgeDelivery } from '../histories/delivery-oracle.js'
import type { Content } from '../histories/history.js'
import { type HistoryMail, sendMail, tokenOf } from '../histories/history-mail.js'

const GROUPING = 'postmark-smtp:grouping'
const CHUNKING = 'postmark-smtp:chunking'
/** Longer than anything that the transport may wait for. */
const LONG_MS = 3 * 3_600_000

/** A fault, and where it strikes: by default once, at the first email of the first connection. */
export interface PlacedFault extends StepFault {
  readonly connection?: number
  readonly mail?: number
  /** Whether it strikes each time that its step comes there: at each recipient. */
  readonly repeat?: boolean
}

/** What {@link tryScript} takes. */
export interface ScriptedTrial {
  /** What the emails are made of, in the order in which they are sent, all at once; default one text. */
  readonly mails?: readonly { readonly content?: Content; readonly recipients?: number }[]
  readonly nature?: Partial<ServerNature>
  readonly faults?: readonly PlacedFault[]
  readonly pipelining?: PostmarkTransportOptions['pipelining']
  readonly options?: Partial<Pick<PostmarkTransportOptions, 'retry' | 'timeouts' | 'pool'>>
  /** Has each connection before anything is said on it. */
  readonly line?: (socket: MemorySocket, clock: VirtualClock) => void
  /** Something to do once the emails are handed over. */
  readonly meanwhile?: (mails: readonly HistoryMail[], clock: VirtualClock) => void
}

/** What came of it. */
export interface ScriptedResult {
  /** Each email in short: outcome, attempts, copies, and the anchor of its explanation if there is one. */
  readonly told: readonly string[]
  readonly connections: number
  /** How many bytes the server said on the first connection. */
  readonly bytes: number
  /** What the client wrote, over all connections. */
  readonly written: readonly string[]
  /** Whether grouping was turned on or off, in order. */
  readonly grouping: readonly string[]
  /** Whether whole emails could follow one another, each time that it was turned on or off. */
  readonly chunking: readonly string[]
  /** Each promise that was broken. */
  readonly broken: readonly string[]
  readonly mails: readonly HistoryMail[]
}

/**
 * Sends emails over one connection at a time, to a server in memory that goes by a script; afterwards one more, which
 * must go through. What each sender was told is compared with what the server took.
 */
export async function tryScript(trial: ScriptedTrial): Promise<ScriptedResult> {
  const { mails: plans = [{}], nature = {}, faults = [], pipelining = 'auto' } = trial
  using clock = installVirtualClock()
  const script = toScript(faults)
  let quiet = false
  const server = createScriptedServer(clock, {
    ...nature,
    script: (context) => (quiet ? undefined : script(context)),
  })
  const grouping: string[] = []
  const onGrouping = (event: unknown) => void grouping.push((event as { grouping: string }).grouping)
  subscribe(GROUPING, onGrouping)
  const chunking: string[] = []
  const onChunking = (event: unknown) => void chunking.push((event as { chunking: string }).chunking)
  subscribe(CHUNKING, onChunking)
  const transporter = createPostmarkTransport({
    serverToken: tokenOf(0),
    host: '127.0.0.1',
    allowPlaintext: true,
    getSocket: (options, done) =>
      server.getSocket(options, (error, socket) => {
        if (socket) trial.line?.(socket.connection as MemorySocket, clock)
        done(error, socket)
      }),
    pipelining,
    ...trial.options,
    pool: { maxConnections: 1, ...trial.options?.pool },
    retry: { attempts: 2, baseMs: 1, ...trial.options?.retry },
  })
  const mails: HistoryMail[] = []
  const send = (content: Content = 'text', recipients = 1) =>
    mails.push(sendMail(transporter, { id: `m${mails.length}`, route: 0, content, recipients }, clock.nowMs))
  const isOver = () => mails.every(({ outcome }) => outcome !== undefined)

  for (const { content, recipients } of plans) send(content, recipients)
  trial.meanwhile?.(mails, clock)
  await clock.advanceUntil(isOver, LONG_MS)
  await clock.advance(1000)
  // The email that comes afterwards does not count.
  const sockets = server.sessions.map(({ wire }) => wire.socket)
  const bytes = sockets[0]?.bytesRead ?? 0
  const written = sockets.flatMap((socket) => socket.written.map((part) => part.toString('latin1')))
  quiet = true
  send()
  await clock.advanceUntil(isOver, LONG_MS)
  void transporter.close()
  await clock.advance(10_000)
  unsubscribe(GROUPING, onGrouping)
  unsubscribe(CHUNKING, onChunking)

  const broken = judgeDelivery(mails, server, { any: new Set(), goAhead: new Set(), verdict: new Set() })
  if (mails.at(-1)?.outcome !== 'sent') broken.push(`the next email fails: ${mails.at(-1)?.error}`)
  for (const { stack } of clock.pending()) broken.push(`a timer stays: ${stack}`)
  if (server.openSockets().length > 0) broken.push('a socket stays open')
  return {
    told: mails.slice(0, -1).map((mail) => tell(mail, server)),
    connections: sockets.length,
    bytes,
    written,
    grouping,
    chunking,
    broken,
    mails,
  }
}

function tell({ id, outcome, attempts, error }: HistoryMail, server: ScriptedServer): string {
  const copies = server.taken.filter(({ from }) => from === `${id}@example.com`).length
  const anchor = explainSmtpError(error)?.anchor
  return `${outcome}, attempts ${attempts}, copies ${copies}${anchor ? `, ${anchor}` : ''}`
}

const BEFORE_MAIL: readonly Step[] = ['connect', 'greeting', 'ehlo', 'auth', 'proof']

/** The script of a list of faults. */
function toScript(faults: readonly PlacedFault[]): StepScript {
  const left = new Set(faults)
  return ({ step, ...at }) => {
    for (const fault of left) {
      const { connection = 0, mail = 0, repeat = false } = fault
      if (fault.step !== step || connection !== at.connection) continue
      if (!BEFORE_MAIL.includes(step) && mail !== at.mail) continue
      if (!repeat) left.delete(fault)
      return fault
    }
    return undefined
  }
}
