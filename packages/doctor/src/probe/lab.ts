import { setTimeout as wait } from 'node:timers/promises'
import { type Channel, type Login, POSTMARK_HOSTS } from '@postmark-smtp/core/internal'
import { ApiFailure, type Json, listOf } from '../api-client.js'
import { openSession, type SessionFacts } from '../checks/open-session.js'
import type { Examination } from '../examination.js'
import { BLACK_HOLE, composeMail, type ProbeMail } from './compose-mail.js'
import { createDialogue, type SmtpDialogue } from './smtp-dialogue.js'

/** How long the probe waits; Postmark’s search lags by some seconds. */
export interface ProbeTimes {
  readonly lookMs: number
  readonly everyMs: number
  readonly idleMs: number
}

/** What the steps of the probe can do. */
export interface ProbeLab {
  readonly usesServerToken: boolean
  /** How many emails were sent. */
  readonly sent: number
  offers(): Promise<unknown>
  tryLogin(login: Login): Promise<unknown>
  mail(step: string, mail: ProbeMail): Promise<unknown>
  manyMails(step: string, count: number): Promise<unknown>
  idle(): Promise<unknown>
}

/** The most emails of a run, whatever the plan says. */
const MOST_MAILS = 99

/** @param run identifies this run, so that its emails can be found */
export function createLab(examination: Examination, run: string, times: ProbeTimes): ProbeLab {
  const { facts, options, patienceMs, stream } = examination
  const login = facts.login!
  const from = options.from!
  let sent = 0

  const open = async (session: SessionFacts | undefined): Promise<SmtpDialogue> => {
    if (!session) throw new Error('the other host cannot be reached')
    let channel: Channel | undefined
    const { failure } = await openSession(examination, session.target, login, (found) => {
      channel = found
    })
    if (!channel) throw new Error(failure?.message ?? 'no session could be opened')
    return createDialogue(channel, patienceMs)
  }
  const here = () => facts.sessions.get(examination.host)
  const elsewhere = () =>
    [...facts.sessions].find(
      ([host]) => host !== examination.host && Object.values(POSTMARK_HOSTS).includes(host),
    )?.[1]

  const deliver = (dialogue: SmtpDialogue, subject: string, mail: ProbeMail) => {
    if (sent >= MOST_MAILS) throw new Error('the probe has sent the most emails that it may')
    sent++
    return dialogue.send({ from, to: BLACK_HOLE, raw: composeMail({ from, subject, stream }, mail) })
  }

  return {
    usesServerToken: login.user === login.pass,
    get sent() {
      return sent
    },
    offers: async () =>
      Object.fromEntries(
        [...facts.sessions].map(([host, { before, capabilities, ehloName }]) => {
          const show = (offered: typeof before) =>
            [...(offered?.keywords ?? [])].map(([word, rest]) => `${word} ${rest}`.trim())
          return [host, { name: ehloName, beforeTls: show(before), afterTls: show(capabilities) }]
        }),
      ),
    async tryLogin(other) {
      const { failure } = await openSession(examination, here()!.target, other)
      return failure ? { taken: false, reply: failure.message } : { taken: true }
    },
    async mail(step, mail) {
      const dialogue = await open(mail.isOtherHost ? elsewhere() : here())
      const subject = `postmark-doctor ${run} ${step}`
      const { replies } = await deliver(dialogue, subject, mail)
      dialogue.quit()
      return { replies, ...(await look(examination, subject, times)) }
    },
    async manyMails(step, count) {
      const dialogue = await open(here())
      let taken = 0
      let last: string | undefined
      try {
        while (taken < count && dialogue.ended === undefined) {
          const { isTaken, replies } = await deliver(dialogue, `postmark-doctor ${run} ${step}`, {})
          last = replies.join(' / ')
          if (!isTaken) break
          taken++
        }
      } finally {
        dialogue.quit()
      }
      return { taken, last, ended: dialogue.ended ?? 'by the doctor' }
    },
    async idle() {
      const dialogue = await open(here())
      const startedAt = performance.now()
      const ended = await dialogue.waitForEnd(times.idleMs)
      dialogue.quit()
      const seconds = Math.round((performance.now() - startedAt) / 1_000)
      return ended === undefined ? { openAfterSeconds: seconds } : { endedAfterSeconds: seconds, ended }
    },
  }
}

/** What the API has about an email: the email itself, or its bounce if it was refused. */
async function look(examination: Examination, subject: string, times: ProbeTimes): Promise<object> {
  const { api, caller, stream, signal } = examination
  const ask = async (path: string): Promise<Json> => {
    try {
      return await api!.ask(caller!, path)
    } catch (error) {
      if (error instanceof ApiFailure) return { error: error.message }
      throw error
    }
  }
  const startedAt = Date.now()
  // It is unknown whether the bounce of a refused email has its subject.
  const isOf = ({ Subject, BouncedAt }: Json) =>
    Subject === subject || (!Subject && Date.parse(String(BouncedAt)) >= startedAt - 5_000)
  const query = `count=50&offset=0&messagestream=${encodeURIComponent(stream)}`
  for (let waited = 0; ; waited += times.everyMs) {
    const mails = await ask(`/messages/outbound?${query}&subject=${encodeURIComponent(subject)}`)
    const mail = listOf(mails.Messages).find(({ Subject }) => Subject === subject)
    if (mail) return { mail: pick(await ask(`/messages/outbound/${mail.MessageID}/details`)) }
    for (const scope of [query, 'count=50&offset=0']) {
      const bounces = await ask(`/bounces?${scope}`)
      const bounce = listOf(bounces.Bounces).find(isOf)
      if (bounce) return { bounce, dump: await ask(`/bounces/${bounce.ID}/dump`) }
    }
    if (waited >= times.lookMs) return { found: `nothing within ${waited / 1_000} s` }
    await wait(times.everyMs, undefined, { signal })
  }
}

const LOOKED_AT = ['Tag', 'Metadata', 'MessageStream', 'Status', 'To', 'Cc', 'Bcc', 'From', 'Sandboxed']

function pick(details: Json): Json {
  return Object.fromEntries(
    [...LOOKED_AT, 'TextBody', 'MessageEvents', 'error'].flatMap((key) =>
      details[key] === undefined ? [] : [[key, details[key]]],
    ),
  )
}
