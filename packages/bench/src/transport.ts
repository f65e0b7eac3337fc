import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Node } from './node-24.js'
import type { Section } from './section.js'
import type { Sink } from './start-sink.js'
import type { TransportPart } from './transport-parts.js'
import type { Answer, Order } from './transport-process.js'

/** In which environment the transport is measured, and which parts of it. */
export interface TransportRun {
  readonly node: Node
  /** Whether an AsyncLocalStorage is in use. */
  readonly als: boolean
  readonly parts: readonly TransportPart[]
  /** Part of the usual number of rounds. */
  readonly effort: number
}

/**
 * Measures the transport, each run in its own process. Sections with the same title are merged, with the environment in
 * their first column.
 * @param onSection called with each section as soon as it is measured
 */
export async function measureTransport(
  sink: Sink,
  runs: readonly TransportRun[],
  onSection: (section: Section) => void,
): Promise<Section[]> {
  const { near, far, chunking, cert } = sink
  const found = new Map<string, Section>()
  for (const { node, als, parts, effort } of runs) {
    const name = als ? `${node.name}, ALS in use` : node.name
    const program = new URL('./transport-process.js', import.meta.url)
    const child = fork(program, { execPath: node.path, execArgv: [] })
    for (const part of parts) {
      child.send({ part, near, far, chunking, cert, als, effort } satisfies Order)
      const { sections, mails } = await answerOf(child)
      const taken = await sink.countMails()
      if (taken !== mails) throw new Error(`${mails} emails were sent, but the sink took ${taken} (${part})`)
      for (const section of sections) {
        const placed = placeIn(name, section)
        onSection(placed)
        const before = found.get(section.title)
        found.set(section.title, before ? { ...before, rows: [...before.rows, ...placed.rows] } : placed)
      }
    }
    child.disconnect()
  }
  return [...found.values()]
}

async function answerOf(child: ChildProcess): Promise<Answer> {
  const stop = new AbortController()
  const { signal } = stop
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`The measuring process exited with code ${code}`)
  })
  try {
    const [answer] = await Promise.race([once(child, 'message', { signal }), ended])
    return answer as Answer
  } finally {
    ended.catch(() => {})
    stop.abort()
  }
}

function placeIn(name: string, section: Section): Section {
  const { headings, rows, charts } = section
  return {
    ...section,
    headings: ['on', ...headings],
    rows: rows.map((row) => [name, ...row]),
    charts: charts?.map((chart) => ({ ...chart, column: chart.column + 1 })),
  }
}
