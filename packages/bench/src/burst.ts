import type { Environment } from './environment.js'
import { judge } from './goal.js'
import { heldAtRest, heldMemory } from './held-memory.js'
import { inTurns, quantile } from './measure.js'
import { newsletter, sizeOf } from './messages.js'
import type { Section } from './section.js'
import { CONNECTIONS, MAKERS, type Sender } from './senders.js'

const MAILS = 1000
/** Memory is sampled each time this many emails are sent; a sample stops everything for a while. */
const LOOK_EVERY = MAILS / 5

/**
 * A burst: all emails at once. Memory is sampled after the last call of sendMail and after each fifth of the emails, and the
 * highest value counts. All emails share one message, so that only what a sender makes of it shows. The round with the
 * lowest value counts: whatever else a process holds, such as compiled code, can only add to it.
 */
export async function measureBurst(env: Environment): Promise<Section[]> {
  const rounds = env.rounds(4)
  const held = MAKERS.map((): number[] => [])
  const seconds = MAKERS.map((): number[] => [])
  // The first round warms up the code and does not count.
  for (let round = -1; round < rounds; round++) {
    for (const index of inTurns(MAKERS.length, round + 1)) {
      const sender = MAKERS[index]![1]({ port: env.near, cert: env.cert })
      const burst = await sendBurst(sender)
      if (round >= 0) {
        held[index]!.push(burst.held / 1_000_000)
        seconds[index]!.push(burst.seconds)
      }
      await sender.close()
      env.tally(MAILS)
    }
  }
  const size = await sizeOf(newsletter)
  const memory = held.map((values) => quantile(values, 0))
  const times = seconds.map((values) => quantile(values, 0))
  const limit = memory[0]! + (CONNECTIONS * size) / 1_000_000
  return [
    {
      title: `Burst of ${MAILS} emails of ${Math.round(size / 1000)} kB, loopback: peak memory held`,
      headings: ['sent by', 'MB', 's', 'memory vs. plain', 'goal'],
      rows: MAKERS.map(([name], index) => [
        name,
        memory[index]!,
        times[index]!,
        memory[index]! / memory[0]!,
        index === 1
          ? judge({ of: 'plain plus one body per session: MB', is: 'at most', limit }, memory[index]!)
          : '',
      ]),
      charts: [{ column: 3, better: 'lower' }],
    },
  ]
}

async function sendBurst(sender: Sender): Promise<{ held: number; seconds: number }> {
  const before = await heldAtRest()
  const start = performance.now()
  let looking = 0
  let held = 0
  let done = 0
  const look = () => {
    const begun = performance.now()
    held = Math.max(held, heldMemory() - before)
    looking += performance.now() - begun
  }
  const mails = Array.from({ length: MAILS }, () =>
    sender.sendMail(newsletter).then(() => {
      if (++done % LOOK_EVERY === 0) look()
    }),
  )
  setImmediate(look)
  await Promise.all(mails)
  return { held, seconds: (performance.now() - start - looking) / 1000 }
}
