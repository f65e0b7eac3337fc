import type { Channel } from '@postmark-smtp/core/internal'

/** One email as it goes out. */
interface Outgoing {
  readonly from: string
  readonly to: string
  readonly raw: string
}

/** The server's replies to an email, in order. The last one may say how the session ended. */
interface SentMail {
  readonly isTaken: boolean
  readonly replies: readonly string[]
}

/** A session that is logged in and sends one command at a time. */
export interface SmtpDialogue {
  /** Sends an email, up to the first reply that refuses it. */
  send(mail: Outgoing): Promise<SentMail>
  /** How the session ended; undefined while it has not. */
  readonly ended: string | undefined
  /** Waits for the server to end the session. */
  waitForEnd(limitMs: number): Promise<string | undefined>
  quit(): void
}

/** Begins a dialogue on a channel. */
export function createDialogue(channel: Channel, replyMs: number): SmtpDialogue {
  let ended: string | undefined
  const waiting = new Set<(text: string) => void>()
  channel.owner = {
    onEnd: (end) => {
      ended =
        end.kind === 'goodbye' ? end.reply.response : end.kind === 'protocol' ? end.what : `(${end.kind})`
      for (const resolve of waiting) resolve(ended)
      waiting.clear()
    },
  }
  const whenEnded = (resolve: (text: string) => void) => {
    if (ended !== undefined) resolve(ended)
    else waiting.add(resolve)
  }
  const ask = (command: string) =>
    new Promise<string>((resolve) => {
      whenEnded(resolve)
      channel.limit(replyMs)
      channel.ask(command, {
        onReply: ({ response }) => {
          channel.unlimit()
          waiting.delete(resolve)
          resolve(response)
        },
      })
    })
  return {
    get ended() {
      return ended
    },
    async send({ from, to, raw }) {
      const replies: string[] = []
      let isTaken = true
      for (const command of [`MAIL FROM:<${from}>\r\n`, `RCPT TO:<${to}>\r\n`, 'DATA\r\n', `${raw}.\r\n`]) {
        const reply = await ask(command)
        replies.push(reply)
        isTaken = command === 'DATA\r\n' ? reply.startsWith('354') : reply.startsWith('25')
        if (isTaken) continue
        if (ended === undefined) replies.push(await ask('RSET\r\n'))
        break
      }
      return { isTaken, replies }
    },
    waitForEnd: (limitMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(undefined), limitMs)
        whenEnded((text) => {
          clearTimeout(timer)
          resolve(text)
        })
      }),
    quit: () => channel.quit(),
  }
}
