import { createPostmarkTransport, explainSmtpError } from '@postmark-smtp/core'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'

/** One mail, where it is asked for. */
export const send: Check = defineCheck({
  id: 'send',
  title: 'One mail',
  after: ['login'],
  needs: '--from and --send-to',
  missing: ({ options }) =>
    options.sendTo === undefined ? 'nothing is sent unless --send-to is given' : undefined,
  kinds: {
    'mail-failed': {
      level: 'fault',
      what: 'The mail of --send-to was refused, or did not get through.',
      cause: 'The server refuses sender, recipient or mail.',
      cure: 'See what the server says.',
      link: LINKS.smtp,
    },
  },
  async run({ options, facts, host, stream, patienceMs }, report) {
    const { user, pass } = facts.login!
    const transporter = createPostmarkTransport({
      ...(user === pass ? { serverToken: user } : { smtpToken: { accessKey: user, secretKey: pass } }),
      host,
      ports: [facts.sessions.get(host)!.target.port],
      allowPlaintext: facts.plaintext,
      timeouts: { raceMs: patienceMs, replyMs: patienceMs, finalMs: patienceMs },
      retry: { attempts: 1 },
      ...(options.tls ? { tls: options.tls } : {}),
    })
    try {
      const { response } = await transporter.sendMail({
        from: options.from!,
        to: options.sendTo!,
        subject: 'A test of the way to Postmark',
        text: 'This mail was sent by postmark-doctor, since --send-to was given.',
        postmark: { messageStream: stream, tag: 'doctor' },
      })
      report.fine(`the server took it: ${response}. Postmark may still refuse it later, as a bounce`)
    } catch (error) {
      report.found('mail-failed', (error as Error).message, explainSmtpError(error)?.cure)
    } finally {
      await transporter.close({ force: true })
    }
  },
})
