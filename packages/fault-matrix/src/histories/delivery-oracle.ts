import type { ScriptedServer, TakenMail } from '@postmark-smtp/testing'
import type { HistoryMail } from './history-mail.js'
import { isWhole, tokenOf } from './history-mail.js'

/** The connections on which replies were not in step with the commands, so that a client may take one for another. */
export interface Misled {
  readonly any: Set<number>
  /** Those on which a 354 was said that nobody asked for. */
  readonly goAhead: Set<number>
  /**
   * Those on which every client takes something else for the reply to a body: a 250 or a 421 that nobody asked for and
   * that comes late, or what is said to the next command where the server took the email and left its reply out.
   */
  readonly verdict: Set<number>
}

/** Compares what senders were told with what the server took; returns what does not agree. */
export function judgeDelivery(
  mails: readonly HistoryMail[],
  server: ScriptedServer,
  misled: Misled,
): string[] {
  const broken: string[] = server.violations.map((what) => `the client broke the protocol: ${what}`)
  const copies = new Map<string, TakenMail[]>(mails.map(({ id }) => [id, []]))
  for (const taken of server.taken) {
    const id = /^Subject: (\S+)\r$/m.exec(taken.raw.toString('latin1'))?.[1]
    const known = id === undefined ? undefined : copies.get(id)
    if (known) known.push(taken)
    else broken.push(`an empty or torn mail was taken, from ${taken.from}, of ${taken.raw.length} bytes`)
  }
  const written = server.sessions.map(({ wire }) => Buffer.concat(wire.socket.written).toString('latin1'))
  const connectionOf = (id: string) =>
    written.findLastIndex((text) => text.includes(`\r\nSubject: ${id}\r\n`))
  for (const mail of mails) {
    const { id, outcome, content } = mail
    const own = copies.get(id) ?? []
    const reported = own.filter(({ connection }) => !misled.verdict.has(connection))
    const connection = connectionOf(id)
    const isDeceived = misled.goAhead.has(connection) || misled.verdict.has(connection)
    const note = (what: string) => broken.push(`${id} (${content}, reported as ${outcome}) ${what}`)
    if (outcome === undefined) note('never settles')
    if (reported.length > 1)
      note(`was taken ${own.length} times, on connections ${own.map(({ connection }) => connection)}`)
    if (outcome === 'sent' && own.length === 0 && !isDeceived) note('was not taken')
    if (outcome !== 'sent' && outcome !== 'unknown' && outcome !== undefined && reported.length > 0)
      note('was taken')
    if (outcome === 'unknown' && content === 'text' && !written.some((text) => endsBody(text, id)))
      note('was never written to its end')
    for (const taken of own) judgeCopy(mail, taken, misled, note)
  }
  return broken
}

function judgeCopy(
  mail: HistoryMail,
  { raw, from, to, user, connection }: TakenMail,
  misled: Misled,
  note: (what: string) => void,
): void {
  const { id, route, outcome, accepted, content } = mail
  const isOwn = (address: string) => address.startsWith(`${id}.`)
  if (from !== `${id}@example.com` || to.length === 0 || !to.every(isOwn))
    note(`was taken from ${from} to ${to}`)
  else if (outcome === 'sent' && to.join() !== accepted.join() && !misled.any.has(connection))
    note(`was taken for ${to}, and ${accepted} reported`)
  // The half of a 235 that is made whole by other bytes is a login for the client only.
  const isLoggedIn = user !== undefined || !misled.any.has(connection)
  if (isLoggedIn && user !== tokenOf(route)) note(`was taken under the login of another route`)
  if (!isWhole(raw.toString('latin1'), id, content))
    note('was taken in part, or with the content of another email')
}

/** Whether the client wrote the end of this email's body, or a first byte of it. */
function endsBody(written: string, id: string): boolean {
  const begin = written.lastIndexOf(`\r\nSubject: ${id}\r\n`)
  return begin >= 0 && (written.includes('\r\n.\r\n', begin + 2) || /\r\n?\.?\r?$/.test(written))
}
