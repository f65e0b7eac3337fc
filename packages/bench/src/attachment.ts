import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { heldAtRest, heldMemory } from './held-memory.js'
import { quantile } from './measure.js'
import { oneLine } from './messages.js'
import type { Section } from './section.js'
import { MAKERS, type Sender } from './senders.js'

const BYTES = 10_000_000
/** Nodemailer encodes the attachment in one piece, which plain holds too; another copy would double that. */
const GOAL = { of: 'memory', is: 'at most', limit: 1.1 } as const
/** How often memory is looked at while the mail is sent. */
const EVERY_MS = 10

/** Most memory held while one large attachment is sent, above what was held before: a second copy would show. */
export async function measureAttachment(env: Environment): Promise<Section[]> {
  const rounds = env.short ? 3 : 6
  const content = Buffer.alloc(BYTES, 'a')
  const message = { ...oneLine, attachments: [{ filename: 'a.txt', content }] }
  const peaks = MAKERS.map((): number[] => [])
  for (let round = -1; round < rounds; round++) {
    for (const [index, [, make]] of MAKERS.entries()) {
      const sender = make({ port: env.near, cert: env.cert })
      const peak = await peakWhile(sender, message)
      if (round >= 0) peaks[index]!.push(peak / 1_000_000)
      await sender.close()
      env.tally(1)
    }
  }
  const found = peaks.map((values) => quantile(values, 0.5))
  return [
    {
      title: `Memory held above the start, one attachment of ${BYTES / 1_000_000} MB held by the caller: median peak of ${rounds}`,
      headings: ['sent by', 'MB', 'against plain', 'goal'],
      rows: MAKERS.map(([name], index) => [
        name,
        found[index]!,
        found[index]! / found[0]!,
        index === 1 ? judge(GOAL, found[index]! / found[0]!) : '',
      ]),
      chart: { column: 2, better: 'lower' },
    },
  ]
}

async function peakWhile(sender: Sender, message: object): Promise<number> {
  const before = await heldAtRest()
  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, heldMemory() - before)
  }, EVERY_MS)
  await sender.sendMail(message)
  clearInterval(timer)
  return peak
}
