import { createPostmarkTransport } from '@postmark-smtp/core'
import { createScriptedServer, installVirtualClock, size } from '@postmark-smtp/testing'
import fc from 'fast-check'
import { it } from 'vitest'
import { streamOf, tokenOf } from './histories/history-mail.js'

/** A route keeps a place for so many emails, or so long, while there are more busy routes than places. */
const TURN_MAILS = 20
const TURN_MS = 5000

/** Bursts on several routes, with nothing going wrong. */
interface Rush {
  readonly places: number
  readonly latencyMs: number
  /** How long the server thinks about an email. */
  readonly mailMs: number
  readonly bursts: readonly { readonly route: number; readonly count: number; readonly afterMs: number }[]
}

const rushes: fc.Arbitrary<Rush> = fc.record({
  places: fc.integer({ min: 1, max: 4 }),
  latencyMs: fc.constantFrom(1, 25),
  mailMs: fc.constantFrom(10, 200, 1500),
  bursts: fc.array(
    fc.record({
      route: fc.nat({ max: 3 }),
      count: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 10, max: 40 })),
      afterMs: fc.oneof(fc.constant(0), fc.nat({ max: 20_000 })),
    }),
    { minLength: 2, maxLength: 6, size: 'max' },
  ),
})

/** How a route fares: since when it has had emails and none under way. */
interface RouteState {
  waiting: number
  underWay: number
  starvedSinceMs: number
}

/** Lets a rush happen; returns where a route starved for longer than it may. */
async function findStarved({ places, latencyMs, mailMs, bursts }: Rush): Promise<string[]> {
  using clock = installVirtualClock()
  const starved: string[] = []
  const routes = [...new Set(bursts.map(({ route }) => route))]
  const states = new Map<number, RouteState>(
    routes.map((route) => [route, { waiting: 0, underWay: 0, starvedSinceMs: 0 }]),
  )
  // An email with its envelope one command at a time; and a connection's end and the login on the next one.
  const mailTimeMs = mailMs + 6 * latencyMs
  const changeMs = 8 * latencyMs
  // At the end of its turn an email is under way, and the one after it may be on its way with it.
  const turnMs = Math.min(TURN_MAILS * mailTimeMs, TURN_MS) + 2 * mailTimeMs + changeMs
  const mostMs = (busy: number) =>
    busy <= places ? 2 * mailTimeMs + changeMs : changeMs + turnMs * Math.ceil((busy - 1) / places)
  let mostBusy = 0

  const server = createScriptedServer(clock, {
    latencyMs,
    mailMs,
    onStep: (step, line) => {
      const route = Number(/<r(\d)@/.exec(line)?.[1])
      const state = states.get(route)
      if (step !== 'mail' || !state) return
      state.waiting -= 1
      if (state.underWay === 0) {
        const ms = clock.nowMs - state.starvedSinceMs
        if (ms > mostMs(mostBusy))
          starved.push(`route ${route} waited ${ms} ms, of ${mostMs(mostBusy)}, ${mostBusy} busy`)
      }
      state.underWay += 1
    },
  })
  const transporter = createPostmarkTransport({
    serverToken: tokenOf(0),
    streams: Object.fromEntries(routes.map((route) => [streamOf(route), { serverToken: tokenOf(route) }])),
    host: '127.0.0.1',
    allowPlaintext: true,
    getSocket: server.getSocket,
    pool: { maxConnections: places },
  })
  const send = async (route: number) => {
    const state = states.get(route)!
    if (state.waiting === 0 && state.underWay === 0) state.starvedSinceMs = clock.nowMs
    state.waiting += 1
    mostBusy = Math.max(
      mostBusy,
      [...states.values()].filter(({ waiting, underWay }) => waiting + underWay > 0).length,
    )
    const message = { from: `r${route}@example.com`, to: 'b@example.com', text: 'Hello' }
    await transporter.sendMail({ ...message, postmark: { messageStream: streamOf(route) } })
    state.underWay -= 1
    if (state.underWay === 0) state.starvedSinceMs = clock.nowMs
  }
  let left = 0
  for (const { route, count, afterMs } of bursts) {
    left += count
    clock.schedule(afterMs, () => {
      for (let n = 0; n < count; n++)
        void send(route).then(
          () => {
            left -= 1
          },
          (error: unknown) => {
            left -= 1
            starved.push(`an email of route ${route} failed: ${error}`)
          },
        )
    })
  }
  await clock.advanceUntil(() => left === 0, 3_600_000)
  if (left > 0) starved.push(`${left} emails never settle`)
  void transporter.close()
  await clock.advance(60_000)
  return starved
}

it('no route waits behind another one for longer than its turn, whatever each has to send', async () => {
  await fc.assert(
    fc.asyncProperty(rushes, async (rush) => {
      const starved = await findStarved(rush)
      if (starved.length > 0) throw new Error(starved.join('\n'))
    }),
    { numRuns: size(800, 8, 2000), seed: 12 },
  )
})
