import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { measureHeaders } from './headers.js'
import { measureMiddleware } from './middleware.js'
import { type Section, toText } from './section.js'
import { measureFirstMail, measureMemory, measureRate } from './transport.js'

/** Round trip of the slow server, in milliseconds. */
const ROUND_TRIP_MS = 50

async function startSink(delayMs: number): Promise<{ port: number; stop(): void }> {
  const sink = fork(new URL('./sink.js', import.meta.url), [String(delayMs)])
  const [port] = (await once(sink, 'message')) as [number]
  return { port, stop: () => sink.disconnect() }
}

const near = await startSink(0)
const far = await startSink(ROUND_TRIP_MS)
const measurements: (() => Promise<Section>)[] = [
  () => measureHeaders(near.port),
  measureMiddleware,
  () => measureRate(near.port, 0),
  () => measureRate(far.port, ROUND_TRIP_MS),
  () => measureFirstMail(near.port, 0),
  () => measureFirstMail(far.port, ROUND_TRIP_MS),
  () => measureMemory(near.port),
]

const machine = `${cpus()[0]?.model.trim()} × ${cpus().length}, Node ${process.version}`
process.stdout.write(`${machine}\n`)
const sections: Section[] = []
for (const run of measurements) {
  const section = await run()
  sections.push(section)
  process.stdout.write(`\n${toText(section)}\n`)
}
near.stop()
far.stop()

mkdirSync('.results', { recursive: true })
writeFileSync('.results/bench.json', JSON.stringify({ machine, sections }, null, 2))
