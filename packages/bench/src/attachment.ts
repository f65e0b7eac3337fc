import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { heldAtRest, heldMemory } from './held-memory.js'
import { quantile } from './measure.js'
import { oneLine } from './messages.js'
import type { Section } from './section.js'
import { MAKERS, type Sender } from './senders.js'

const BYTES = 10_000_000
/** Nodemailer encodes the attachment in one piece, also on its own pool; another copy would double that. */
const GOAL = { of: 'held', is: 'at most', limit: 1.1 } as const
/** How often memory is sampled while the email is sent. */
const EVERY_MS = 5

/**
 * Memory held while one large attachment is sent, above what was held before: a second copy would show. The peak lasts
 * only a moment, and is seen by chance.
 */
export async function measureAttachment(env: Environment): Promise<Section[]> {
  const rounds = env.rounds(6)
  const content = Buffer.alloc(BYTES, 'a')
  const message = { ...oneLine, attachments: [{ filename: 'a.txt', content }] }
  const looks = MAKERS.map((): number[] => [])
  for (let round = -1; round < rounds; round++) {
    for (const [index, [, make]] of MAKERS.entries()) {
      const sender = make({ port: env.near, cert: env.cert })
      const seen = await lookWhile(sender, message)
      if (round >= 0) looks[index]!.push(...seen)
      await sender.close()
      env.tally(1)
    }
  }
  // Before the attachment is encoded, and after it was sent, nothing shows.
  const held = looks.map(
    (values) =>
      quantile(
        values.filter((bytes) => bytes > BYTES / 2),
        0.5,
      ) / 1_000_000,
  )
  return [
    {
      title: `Memory above the baseline, one ${BYTES / 1_000_000} MB attachment held by the caller`,
      headings: ['sent by', 'MB while sending', 'peak MB', 'held vs. plain', 'goal'],
      rows: MAKERS.map(([name], index) => [
        name,
        held[index]!,
        Math.max(...looks[index]!) / 1_000_000,
        held[index]! / held[0]!,
        index === 1 ? judge(GOAL, held[index]! / held[0]!) : '',
      ]),
      charts: [{ column: 3, better: 'lower' }],
    },
  ]
}

async function lookWhile(sender: Sender, message: object): Promise<number[]> {
  const before = await heldAtRest()
  const seen: number[] = []
  const timer = setInterval(() => seen.push(heldMemory() - before), EVERY_MS)
  await sender.sendMail(message)
  clearInterval(timer)
  return seen
}
