import { createPostmarkTransport, explainSmtpError } from '@postmark-smtp/core'
import { type Check, defineCheck } from '../check.js'
import { LINKS } from './links.js'

/** One email, if it is asked for. */
export const send: Check = defineCheck({
  id: 'send',
  title: 'Test email',
  after: ['login'],
  needs: '--from and --send-to',
  missing: ({ options }) => (options.sendTo === undefined ? 'no email is sent without --send-to' : undefined),
  kinds: {
    'mail-failed': {
      level: 'fault',
      what: 'The email to the address of --send-to was refused or did not get through.',
      cause: 'The server refuses the sender, the recipient or the email.',
      cure: 'Read the reply of the server.',
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
        subject: 'Test email from postmark-doctor',
        text: 'postmark-doctor sent this email because --send-to was given.',
        postmark: { messageStream: stream, tag: 'doctor' },
      })
      report.fine(`the server accepted it: ${response}. Postmark may still refuse it later with a bounce`)
    } catch (error) {
      report.found('mail-failed', (error as Error).message, explainSmtpError(error)?.cure)
    } finally {
      await transporter.close({ force: true })
    }
  },
})
