import { AsyncLocalStorage } from 'node:async_hooks'
import type { Environment } from './environment.js'
import type { Section } from './section.js'
import { TRANSPORT_PARTS, type TransportPart } from './transport-parts.js'

/** What the process is asked to do: measure one part of the bench. */
export type Order = Pick<Environment, 'near' | 'far' | 'chunking' | 'cert' | 'als'> & {
  readonly part: TransportPart
  /** Part of the usual number of rounds. */
  readonly effort: number
}

/** Its answer. */
export interface Answer {
  readonly sections: readonly Section[]
  /** Emails that were sent. */
  readonly mails: number
}

/**
 * Measures the transport in its own process (`node dist/transport-process.js`), one for each version of Node, with and
 * without an AsyncLocalStorage: once one is in use, every promise of a process costs more on Node 20.
 */
process.on('message', async ({ part, effort, ...given }: Order) => {
  let mails = 0
  const storage = given.als ? new AsyncLocalStorage<object>() : undefined
  const sections = await TRANSPORT_PARTS[part]({
    ...given,
    rounds: (usual) => Math.max(1, Math.round(usual * effort)),
    tally: (sent) => {
      mails += sent
    },
    inRequest: (work) => (storage ? storage.run({}, work) : work()),
  })
  process.send?.({ sections, mails } satisfies Answer)
})
process.on('disconnect', () => process.exit())
