import { attachPostmark, POSTMARK_FIELDS } from '@postmark-smtp/core'
import { postmark } from '@postmark-smtp/nodemailer'
import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { countOf, measure } from './measure.js'
import { oneLine } from './messages.js'
import type { Section } from './section.js'
import { plain } from './senders.js'

const fields = { messageStream: 'outbound', tag: 'order', metadata: { order: '42' } }
const HEADERS = {
  [POSTMARK_FIELDS.messageStream.header]: fields.messageStream,
  [POSTMARK_FIELDS.tag.header]: fields.tag,
  [`${POSTMARK_FIELDS.metadata.header}order`]: fields.metadata.order,
}
const GOAL = { of: 'CPU', is: 'at most', limit: 1.1 } as const

/** What three fields add on a transporter that the user made, against plain Nodemailer with the same headers. */
export async function measureInjection(env: Environment): Promise<Section[]> {
  const target = { port: env.near, cert: env.cert }
  const first = plain(target)
  const plugin = plain(target)
  plugin.use('compile', postmark())
  const attached = attachPostmark(plain(target))
  const again = plain(target)
  const bare = { ...oneLine, headers: { ...HEADERS } }
  const withFields = { ...oneLine, postmark: fields }
  const rounds = { rounds: env.rounds(20), perRound: 400, concurrency: 20, warmUp: 4000, leadIn: 100 }
  const results = await measure(
    [
      { name: 'plain Nodemailer', send: () => env.inRequest(() => first.sendMail(bare)) },
      { name: 'plugin', send: () => env.inRequest(() => plugin.sendMail(withFields)) },
      { name: 'attachPostmark', send: () => env.inRequest(() => attached.sendMail(withFields)) },
      { name: 'plain Nodemailer again', send: () => env.inRequest(() => again.sendMail(bare)) },
    ],
    rounds,
  )
  for (const transporter of [first, plugin, attached, again]) transporter.close()
  env.tally(results.length * countOf(rounds))
  const cpu = results[0]!.cpuMicros
  return [
    {
      title: 'Header injection over TLS, three fields, loopback',
      headings: ['sent by', 'CPU µs/mail', 'mails/s', 'CPU vs. plain', 'goal'],
      rows: results.map(({ name, cpuMicros, perSecond }, index) => [
        name,
        cpuMicros,
        perSecond,
        cpuMicros / cpu,
        index === 1 || index === 2 ? judge(GOAL, cpuMicros / cpu) : '',
      ]),
      charts: [{ column: 3, better: 'lower' }],
    },
  ]
}
